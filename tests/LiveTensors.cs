using ChemScale.Tests;
using NUnit.Framework;
using NUnit.Framework.Interfaces;
using static TorchSharp.torch;

[assembly: LiveTensors]

namespace ChemScale.Tests;

/// <summary>
/// Fails every test that leaves tensors alive which nothing can free any more: held by a scope that stays open, a static, or native code.
/// What a fixture makes before its first test is its own; it must be gone after its last. Tensors that only wait for their finalizer are let go first,
/// so the answer does not depend on when memory is collected. A test that keeps some on purpose says why: <see cref="KeepsTensorsAttribute"/>.
/// Tests run one at a time (default.runsettings); where two overlap there is no telling whose a tensor is, and nothing is asked.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class LiveTensorsAttribute : Attribute, ITestAction
{
    private readonly Dictionary<string, long> ofFixtures = [];
    private long before;
    private int running;
    private bool overlapped;

    public ActionTargets Targets => ActionTargets.Test | ActionTargets.Suite;

    public void BeforeTest(ITest test)
    {
        before = Settled(before, patience: 0);
        if (test.IsSuite) ofFixtures[test.Id] = before;
        else if (Interlocked.Increment(ref running) > 1) overlapped = true;
    }

    public void AfterTest(ITest test)
    {
        if (test.IsSuite)
        {
            if (ofFixtures.Remove(test.Id, out long start) && test.TypeInfo is not null) Check(test, start);
            return;
        }
        bool alone = !overlapped;
        if (Interlocked.Decrement(ref running) == 0) overlapped = false;
        if (alone) Check(test, before);
    }

    private void Check(ITest test, long start)
    {
        if (TestContext.CurrentContext.Result.Outcome.Status == TestStatus.Failed || Keeps(test)) return;
        long kept = (before = Settled(start, patience: 8)) - start;
        if (kept > 0) Assert.Fail($"{test.Name} leaves {kept} tensors alive");
    }

    private static bool Keeps(ITest test) =>
        test.Method?.GetCustomAttributes<KeepsTensorsAttribute>(true).Length > 0 || test.TypeInfo?.GetCustomAttributes<KeepsTensorsAttribute>(true).Length > 0;

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

/// <summary>A test, or a fixture, that leaves tensors alive on purpose.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class KeepsTensorsAttribute(string reason) : Attribute
{
    public string Reason { get; } = reason;
}
