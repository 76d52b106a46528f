using System.Text.Json.Nodes;
using ChemScale.Engine.Chemistry.Library;
using ChemScale.Perf.Measuring;

namespace ChemScale.Perf.Benchmarks;

/// <summary>
/// Molecules per second of <see cref="VirtualLibrary.Write"/> on one thread, and the time to build its tables. The rate is also given
/// per second of processor time, which a busy machine changes less.
/// </summary>
internal sealed class LibraryBenchmark : Benchmark
{
    private const string Writing = "write";

    public override string Name => "library";

    public override string Summary => "molecules of the virtual library, one thread";

    public override bool IsAgainstRates => false;

    public override void Run(BenchmarkRun run)
    {
        long molecules = run.Settings.Sizes(20_000, 1_000_000, 1_000_000);
        var parameters = new JsonObject { ["molecules"] = molecules };
        TimeSpan leastProcessor = TimeSpan.MaxValue;
        long characters = 0, allocated = 0;
        run.Compare(new Case(parameters, null, molecules, "molecules"), [new(Writing), new("tables", Items: 0)], [SidePlan.Host(1 << 28)], _ =>
        {
            char[] smiles = new char[VirtualLibrary.LongestSmiles];
            return _ => clock =>
            {
                VirtualLibrary? library = null;
                clock.Time("tables", () => library = new VirtualLibrary());
                TimeSpan processor = Environment.CpuUsage.TotalTime;
                long before = GC.GetAllocatedBytesForCurrentThread();
                clock.Time(Writing, () =>
                {
                    characters = 0;
                    for (long index = 0; index < molecules; index++) characters += library!.Write(index, smiles);
                });
                allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                TimeSpan used = Environment.CpuUsage.TotalTime - processor;
                if (used < leastProcessor) leastProcessor = used;
            };
        }, onHost: true);
        if (leastProcessor == TimeSpan.MaxValue) return;
        run.Note($"{molecules / leastProcessor.TotalSeconds:N0} molecules per processor second, {(double)characters / molecules:F1} characters a molecule, "
            + $"{allocated:N0} bytes allocated in the last repeat");
    }
}
