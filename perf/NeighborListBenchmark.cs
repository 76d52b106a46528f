using System.Diagnostics;
using ChemScale.Engine.Atoms.Neighbors;

namespace ChemScale.Perf;

/// <summary>Time of a neighbour list against the number of atoms, at one density: it should grow as the atoms do.</summary>
public static class NeighborListBenchmark
{
    private const double Cutoff = 5;
    private const double Spacing = 2.2;
    private const int Rounds = 3;

    /// <param name="args">Largest number of atoms; 1,000,000 unless told.</param>
    public static void Run(string[] args)
    {
        int most = args.Length > 0 ? int.Parse(args[0]) : 1_000_000;
        Console.WriteLine($"cutoff {Cutoff} A, about 49 neighbours an atom, {Environment.ProcessorCount} cores, best of {Rounds}");
        for (double exact = 10; Math.Pow(exact, 3) < most * 1.01; exact *= Math.Cbrt(10))
        {
            int side = (int)Math.Round(exact);
            double length = side * Spacing;
            double[] positions = Jittered(side), cell = [length, 0, 0, 0, length, 0, 0, 0, length];
            double build = double.MaxValue, reverse = double.MaxValue;
            int edges = 0;
            for (int round = 0; round < Rounds; round++)
            {
                long start = Stopwatch.GetTimestamp();
                NeighborList list = NeighborLists.Build(positions, cell, [true, true, true], Cutoff);
                build = Math.Min(build, Stopwatch.GetElapsedTime(start).TotalSeconds);
                start = Stopwatch.GetTimestamp();
                edges = list.ReverseEdges.Length;
                reverse = Math.Min(reverse, Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
            int atoms = positions.Length / 3;
            Console.Write($"{atoms,9:N0} atoms {edges,11:N0} edges {build * 1e3,9:N1} ms, {build / atoms * 1e6,5:N2} us an atom; ");
            Console.WriteLine($"reverse edges {reverse * 1e3,8:N1} ms");
        }
    }

    /// <summary>(atoms, 3) A simple cubic lattice with every atom moved a little, in a shuffled order.</summary>
    private static double[] Jittered(int side)
    {
        Random random = new(1);
        int[] order = [.. Enumerable.Range(0, side * side * side)];
        random.Shuffle(order);
        double[] positions = new double[3 * order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            positions[3 * i] = Spacing * (order[i] / side / side) + 0.3 * random.NextDouble();
            positions[3 * i + 1] = Spacing * (order[i] / side % side) + 0.3 * random.NextDouble();
            positions[3 * i + 2] = Spacing * (order[i] % side) + 0.3 * random.NextDouble();
        }
        return positions;
    }
}
