using ChemScale.Tests;
using NUnit.Framework;
using NUnit.Framework.Interfaces;
using static TorchSharp.torch;

[assembly: LiveTensors]

namespace ChemScale.Tests;

/// <summary>
/// Fails every fixture below <see cref="Looked"/> that leaves tensors alive which nothing can free any more: held by a scope that stays open, a static,
/// or native code. Those that only wait for their finalizer are let go first, so the answer does not depend on when memory is collected. What fails is
/// the next test: runners do not report what fails after the last test of a fixture.
/// </summary>
/// <remarks>
/// TorchSharp counts tensors up when they are made and down when they are freed, but loses one with every Parameter made of a tensor, so the count says
/// nothing where modules are made: fixtures of models, training and simulation are not looked at. Where fixtures overlap there is no telling whose a
/// tensor is, and nothing is asked.
/// </remarks>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class LiveTensorsAttribute : Attribute, ITestAction
{
    private static readonly string[] Looked = ["Operators", "Atoms", "Tokens", "Stores", "Chemistry", "Numerics", "Scaling", "Estimation", "Files"];

    private readonly Lock gate = new();
    private readonly Dictionary<string, long> running = [];
    private bool overlapped;
    private string fault = "";

    public ActionTargets Targets => ActionTargets.Suite | ActionTargets.Test;

    public void BeforeTest(ITest test)
    {
        if (!test.IsSuite && Interlocked.Exchange(ref fault, "") is { Length: > 0 } kept) Assert.Fail(kept);
        if (!IsFixture(test)) return;
        lock (gate)
        {
            overlapped |= running.Count > 0;
            running[test.Id] = Settled(0, patience: 0);
        }
    }

    public void AfterTest(ITest test)
    {
        if (!IsFixture(test)) return;
        lock (gate)
        {
            if (!running.Remove(test.Id, out long start)) return;
            bool alone = !overlapped;
            overlapped &= running.Count > 0;
            if (!alone || !Looked.Contains(test.TypeInfo!.Namespace?.Split('.').ElementAtOrDefault(2))) return;
            long kept = Settled(start, patience: 8) - start;
            if (kept > 0) fault += $"{test.FullName}, which ran before, left {kept} tensors alive. ";
        }
    }

    private static bool IsFixture(ITest test) => test is { TypeInfo: not null, Method: null, TestType: "TestFixture" };

    /// <summary>Tensors alive once those that nothing refers to are gone; nothing is collected where there are no more than expected.</summary>
    private static long Settled(long expected, int patience)
    {
        for (int round = 0; Tensor.TotalCount > expected; round++)
        {
            long count = Tensor.TotalCount;
            GC.Collect();
            GC.WaitForPendingFinalizers();
            // What a finalizer let go may have held others: again while some go. Else another thread may be at its end still.
            if (Tensor.TotalCount < count) continue;
            if (round >= patience) break;
            Thread.Sleep(1 << round);
        }
        return Tensor.TotalCount;
    }
}
