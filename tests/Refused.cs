using ChemScale.Engine;
using NUnit.Framework;
using NUnit.Framework.Constraints;

namespace ChemScale.Tests;

/// <summary>The constraint that a user's mistake is named in one line.</summary>
internal static class Refused
{
    public static Constraint With(params string[] parts)
    {
        Constraint constraint = Throws.TypeOf<InputException>().With.Message.Not.Contains("\n");
        foreach (string part in parts) constraint = constraint.And.Message.Contains(part);
        return constraint;
    }
}
