using System.Diagnostics;
using ChemScale.Engine.Chemistry.Library;

namespace ChemScale.Perf;

/// <summary>
/// Molecules per second of <see cref="VirtualLibrary.Write"/> on one thread, and the time to build its tables. The rate is also given
/// per second of processor time, which a busy machine changes less.
/// </summary>
public static class VirtualLibraryBenchmark
{
    private const int Molecules = 1_000_000;
    private const int Rounds = 5;

    public static void Run(string[] args)
    {
        Stopwatch watch = Stopwatch.StartNew();
        VirtualLibrary library = new();
        Console.WriteLine($"tables                  {watch.Elapsed.TotalMilliseconds,12:N0} ms");
        using Process process = Process.GetCurrentProcess();
        char[] smiles = new char[VirtualLibrary.LongestSmiles];
        double best = 0;
        double bestProcessor = 0;
        long characters = 0;
        long allocated = 0;
        for (int round = 0; round < Rounds; round++)
        {
            process.Refresh();
            TimeSpan processor = process.TotalProcessorTime;
            long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
            watch.Restart();
            characters = 0;
            for (long index = 0; index < Molecules; index++) characters += library.Write(index, smiles);
            best = Math.Max(best, Molecules / watch.Elapsed.TotalSeconds);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
            process.Refresh();
            bestProcessor = Math.Max(bestProcessor, Molecules / (process.TotalProcessorTime - processor).TotalSeconds);
        }

        Console.WriteLine($"molecules/s             {best,12:N0} (best of {Rounds} rounds of {Molecules:N0}, one thread)");
        Console.WriteLine($"molecules/processor s   {bestProcessor,12:N0}");
        Console.WriteLine($"characters/molecule     {(double)characters / Molecules,12:N1}");
        Console.WriteLine($"bytes allocated         {allocated,12:N0}");
    }
}
