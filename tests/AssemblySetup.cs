using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Tests;
using NUnit.Framework;
using NUnit.Framework.Interfaces;
using static TorchSharp.torch;

// Two at a time. What needs a setting or a count of the whole process to itself is marked NonParallelizable, and runs after all others.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: OwnRun]

namespace ChemScale.Tests;

/// <summary>What all tests share.</summary>
[SetUpFixture]
public sealed class AssemblySetup
{
    /// <summary>
    /// Natives first: TorchSharp must not look for libtorch by itself. One thread each: toys gain nothing from more, and threads that wait for each
    /// other lose much where another fixture has their core.
    /// </summary>
    [OneTimeSetUp]
    public void Prepare()
    {
        NativeLibraries.EnsureLoaded();
        Assert.That(NativeLibraries.Failure, Is.Null);
        set_num_threads(1);
        CallConsole.Install();
    }

    [OneTimeTearDown]
    public void Check() => LiveTensorsAttribute.End();
}

/// <summary>Each test is a run of its own: its modes, its random numbers and its count of nodes.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class OwnRunAttribute : Attribute, ITestAction
{
    public ActionTargets Targets => ActionTargets.Test;

    public void BeforeTest(ITest test) => TestScope.Reset();

    public void AfterTest(ITest test) => RunScope.Default.Enter();
}
