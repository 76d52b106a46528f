using System.Text.Json.Nodes;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Identity;
using ChemScale.Engine.Chemistry.Smiles;
using ChemScale.Perf.Measuring;

namespace ChemScale.Perf.Benchmarks;

/// <summary>Molecules per second, one thread: parsed graphs to keys, to canonical SMILES, and SMILES to keys.</summary>
internal sealed class IdentityBenchmark : Benchmark
{
    public override string Name => "identity";

    public override string Summary => "molecules to canonical keys and canonical SMILES, one thread";

    public override bool IsAgainstRates => false;

    public override void Run(BenchmarkRun run)
    {
        RunSettings s = run.Settings;
        string[] smiles = SelfiesBenchmark.Molecules(s, s.Sizes(1_000, 50_000, 100_000));
        Molecule[] molecules = [.. smiles.Select(SmilesReader.Parse)];
        var identity = new MoleculeIdentity();
        var parameters = new JsonObject { ["molecules"] = smiles.Length };
        Pass key = new("key"), write = new("canonical SMILES"), read = new("SMILES to key");
        run.Compare(new Case(parameters, null, smiles.Length, "molecules"), [key, write, read], [SidePlan.Host(1 << 28)], scope => plan => clock =>
        {
            clock.Time(key.Name, () =>
            {
                foreach (Molecule molecule in molecules) identity.Key(molecule);
            });
            clock.Time(write.Name, () =>
            {
                foreach (Molecule molecule in molecules) identity.CanonicalSmiles(molecule);
            });
            clock.Time(read.Name, () =>
            {
                foreach (string line in smiles) identity.TryKey(line, out _);
            });
        }, onHost: true);
    }
}
