using ChemScale.Engine;
using NUnit.Framework;
using NUnit.Framework.Constraints;

namespace ChemScale.Tests.Tokens;

/// <summary>The constraint that a user's mistake is named.</summary>
internal static class Refused
{
    public static Constraint With(string message) => Throws.TypeOf<InputException>().With.Message.Contains(message);
}
