using ChemScale.Engine.Native;
using ChemScale.Perf;

NativeLibraries.EnsureLoaded();
Dictionary<string, Action<string[]>> benchmarks = new(StringComparer.Ordinal)
{
    ["attention"] = AttentionBenchmark.Run,
    ["chemgpt"] = ChemGptBenchmark.Run,
    ["filter"] = ContinuousFilterBenchmark.Run,
    ["forcefield"] = ForceFieldBenchmark.Run,
    ["layer"] = LayerOperationsBenchmark.Run,
    ["library"] = VirtualLibraryBenchmark.Run,
    ["neighbors"] = NeighborListBenchmark.Run,
    ["radial"] = RadialBenchmark.Run,
    ["painn"] = PaiNNBenchmark.Run,
};

switch (args)
{
    case ["list"]:
        foreach (string name in benchmarks.Keys) Console.WriteLine(name);
        return 0;
    case ["run", var name, .. var rest] when benchmarks.TryGetValue(name, out Action<string[]>? run):
        run(rest);
        return 0;
    default:
        Console.Error.WriteLine("perf list | run NAME [options]; names: " + string.Join(", ", benchmarks.Keys));
        return 2;
}
