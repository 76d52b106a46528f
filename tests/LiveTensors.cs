using System.Collections.Concurrent;
using System.Reflection;
using ChemScale.Tests;
using NUnit.Framework;
using NUnit.Framework.Interfaces;
using static TorchSharp.torch;

[assembly: LiveTensors]

namespace ChemScale.Tests;

/// <summary>
/// Fails every fixture that leaves tensors alive which nothing can free any more: held by a scope that stays open, a static, or native code. Those that
/// only wait for their finalizer are let go first, so the answer does not depend on when memory is collected. Each fixture has a count of its own,
/// whatever runs beside it, of what its tests make. What fails is the next test on the same thread: runners tell of suites neither when they end nor
/// that they failed.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class LiveTensorsAttribute : Attribute, ITestAction
{
    private static readonly ConcurrentDictionary<ITest, TensorCount> All = new();

    private readonly ThreadLocal<ITest?> present = new();
    private readonly ConcurrentDictionary<ITest, TensorCount> counts;

    public LiveTensorsAttribute() : this(All)
    {
    }

    internal LiveTensorsAttribute(ConcurrentDictionary<ITest, TensorCount> counts) => this.counts = counts;

    public ActionTargets Targets => ActionTargets.Test;

    public void BeforeTest(ITest test)
    {
        ITest fixture = Fixture(test), before = present.Value ?? fixture;
        present.Value = fixture;
        counts.GetOrAdd(fixture, _ => new TensorCount()).Enter();
        // Tests that wait until they are alone come when all else is done.
        if (before != fixture && !Waits(before) && Kept(before) is { } kept) Assert.Fail(kept);
    }

    public void AfterTest(ITest test) => TensorCount.Leave();

    /// <summary>What no test is left to fail for, the process fails for.</summary>
    internal static void End()
    {
        var check = new LiveTensorsAttribute();
        string[] kept = [.. All.Keys.Select(check.Kept).OfType<string>()];
        if (kept.Length > 0) Environment.FailFast(string.Join("; ", kept));
    }

    private string? Kept(ITest fixture) => counts.TryRemove(fixture, out TensorCount? count) && count.Settled() is > 0 and var kept
        ? $"{fixture.FullName}, which ran before, left {kept} tensors alive" : null;

    private static bool Waits(ITest fixture) =>
        fixture.TypeInfo!.GetMethods(BindingFlags.Instance | BindingFlags.Public).Any(m => m.IsDefined<NonParallelizableAttribute>(true));

    private static ITest Fixture(ITest test)
    {
        while (test is not { TypeInfo: not null, Method: null }) test = test.Parent!;
        return test;
    }
}

/// <summary>Tensors alive of those made while it is entered, on whichever thread.</summary>
internal sealed class TensorCount
{
    // The weaver's: compilers see TorchSharp as it is packed.
    private static readonly AsyncLocal<long[]?> Current =
        (AsyncLocal<long[]?>)typeof(Tensor).Assembly.GetType("ChemScale.TensorCounts", throwOnError: true)!.GetField("Current")!.GetValue(null)!;

    private readonly long[] counter = [0];

    /// <summary>Of the fixture that asks.</summary>
    public static long Now => Volatile.Read(ref Current.Value![0]);

    public long Alive => Volatile.Read(ref counter[0]);

    /// <summary>From here on for this call and all that it calls, up to <see cref="Leave"/>.</summary>
    public void Enter() => Current.Value = counter;

    public static void Leave() => Current.Value = null;

    /// <summary>How many are alive once those that nothing refers to are gone; nothing is collected where there are none.</summary>
    public long Settled()
    {
        for (int round = 0; Alive > 0 && round < 8; round++)
        {
            long count = Alive;
            GC.Collect();
            GC.WaitForPendingFinalizers();
            // What a finalizer let go may have held others: again while some go. Else another thread may be at its end still.
            if (Alive < count) round--;
            else Thread.Sleep(1 << round);
        }
        return Alive;
    }
}
