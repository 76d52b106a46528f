using System.Diagnostics;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using CommandLine;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf;

/// <summary>
/// Training steps of force fields on an energy and force loss, optimizer included. Molecules are random, with as many atoms and about as
/// many edges within 5 A as the real ones.
/// </summary>
internal static class ForceFieldBenchmark
{
    private sealed class Options
    {
        [Option("model", Default = "painn", HelpText = "painn or schnet.")]
        public string Model { get; set; } = "painn";

        [Option("molecule", Default = "ethanol", HelpText = "ethanol (9 atoms, 72 edges) or aspirin (21 atoms, about 300 edges).")]
        public string Molecule { get; set; } = "ethanol";

        [Option("batch", Default = 10)]
        public int Batch { get; set; }

        [Option("features", Default = 128)]
        public int Features { get; set; }

        [Option("steps", Default = 20)]
        public int Steps { get; set; }

        [Option("threads", Default = 0)]
        public int Threads { get; set; }
    }

    public static void Run(string[] args) => Parser.Default.ParseArguments<Options>(args).WithParsed(Run);

    private static void Run(Options o)
    {
        if (o.Threads > 0) set_num_threads(o.Threads);
        using ForceField model = o.Model == "schnet"
            ? new SchNet(new SchNetConfig { Features = o.Features }, seed: 1)
            : new PaiNN(new PaiNNConfig { Features = o.Features }, seed: 1);
        using GraphBatch batch = Batch(o.Molecule == "aspirin" ? 21 : 9, o.Molecule == "aspirin" ? 3.05 : 2, o.Batch, model.Config.Cutoff);
        using var optimizer = new AdamW(model.named_parameters().Select(p => (p.name, p.parameter)), new OptimizerSpec());
        var times = new double[o.Steps];
        for (int step = -2; step < o.Steps; step++)
        {
            long start = Stopwatch.GetTimestamp();
            using (DisposeScope scope = NewDisposeScope())
            {
                foreach (var parameter in model.parameters()) parameter.grad?.zero_();
                ForceFieldOutput output = model.Evaluate(batch, createGraph: true);
                (output.Energies.square().mean() * 0.05 + output.Forces!.square().mean() * 0.95).backward();
                optimizer.Step(1e-4);
            }
            if (step >= 0) times[step] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
        Array.Sort(times);
        Console.WriteLine($"{o.Model} {o.Features} features, {o.Batch} {o.Molecule} ({batch.Atoms} atoms, {batch.Edges.Count} edges), "
            + $"{get_num_threads()} threads: step {times[0]:F0} ms best, {times[o.Steps / 2]:F0} ms median, "
            + $"peak {PeakMegabytes():F0} MB");
    }

    private static double PeakMegabytes()
    {
        using Process self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64 / 1e6;
    }

    private static GraphBatch Batch(int atoms, double radius, int molecules, double cutoff)
    {
        var random = new Random(1);
        List<int> rowStarts = [0], senders = [], numbers = [];
        List<double> positions = [];
        for (int molecule = 0; molecule < molecules; molecule++)
        {
            List<double[]> placed = [];
            while (placed.Count < atoms)
            {
                double[] candidate = [.. Enumerable.Range(0, 3).Select(_ => radius * (2 * random.NextDouble() - 1))];
                if (placed.All(p => Distance(p, candidate) > 0.9)) placed.Add(candidate);
            }
            for (int i = 0; i < atoms; i++)
            {
                for (int j = 0; j < atoms; j++)
                    if (i != j && Distance(placed[i], placed[j]) < cutoff) senders.Add(molecule * atoms + j);
                rowStarts.Add(senders.Count);
                numbers.Add(new[] { 1, 6, 8 }[random.Next(3)]);
                positions.AddRange(placed[i]);
            }
        }
        return new GraphBatch([.. Enumerable.Repeat(atoms, molecules)], [.. numbers], [.. positions], new EdgeList([.. rowStarts], [.. senders]));
    }

    private static double Distance(double[] a, double[] b) => Math.Sqrt(a.Zip(b, (x, y) => (x - y) * (x - y)).Sum());
}
