using System.Diagnostics;
using ChemScale.Engine.Chemistry.Library;

namespace ChemScale.Perf;

/// <summary>Molecules per second of <see cref="VirtualLibrary.Write"/> on one thread, and the time to build its tables.</summary>
public static class VirtualLibraryBenchmark
{
    private const int Molecules = 1_000_000;
    private const int Rounds = 5;

    public static void Run(string[] args)
    {
        Stopwatch watch = Stopwatch.StartNew();
        VirtualLibrary library = new();
        Console.WriteLine($"tables            {watch.Elapsed.TotalMilliseconds,12:N0} ms");
        char[] smiles = new char[VirtualLibrary.LongestSmiles];
        double best = 0;
        long characters = 0;
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < Rounds; round++)
        {
            watch.Restart();
            characters = 0;
            for (long index = 0; index < Molecules; index++) characters += library.Write(index, smiles);
            best = Math.Max(best, Molecules / watch.Elapsed.TotalSeconds);
        }

        Console.WriteLine($"molecules/s       {best,12:N0} (best of {Rounds} rounds of {Molecules:N0}, one thread)");
        Console.WriteLine($"characters        {(double)characters / Molecules,12:N1} per molecule");
        Console.WriteLine($"bytes allocated   {GC.GetAllocatedBytesForCurrentThread() - allocated,12:N0}");
    }
}
