using ChemScale.Engine.Native;
using NUnit.Framework;

namespace ChemScale.Tests;

/// <summary>Natives first: TorchSharp must not look for libtorch by itself.</summary>
[SetUpFixture]
public sealed class AssemblySetup
{
    [OneTimeSetUp]
    public void LoadNatives()
    {
        NativeLibraries.EnsureLoaded();
        Assert.That(NativeLibraries.Failure, Is.Null);
    }
}
