using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ChemScale.Tests.Stress;

/// <summary>What a race came to.</summary>
public readonly record struct RaceResult(long Operations, long Thrown, long Wrong, string First)
{
    public override string ToString() => $"{Operations} operations, {Thrown} exceptions, {Wrong} wrong values {First}".TrimEnd();
}

/// <summary>
/// TorchSharp alone, on small tensors, while garbage is collected without pause: objects whose handle native code has, and that nothing
/// holds any more, are finalized under it. TorchSharp 0.107 as it is packed fails within seconds.
/// </summary>
public static class HandleRace
{
    /// <param name="operations">At least so many are done, unless time ends first.</param>
    /// <param name="most">The longest it may take.</param>
    /// <param name="threads">That work.</param>
    public static RaceResult Run(long operations, TimeSpan most, int threads)
    {
        long done = 0, wrong = 0, thrown = 0;
        string first = "";
        DateTime end = DateTime.UtcNow + most;
        List<Thread> workers = [.. Enumerable.Range(0, threads).Select(_ => new Thread(Work))];
        workers.ForEach(t => t.Start());
        while (workers.Exists(t => t.IsAlive))
        {
            GC.Collect(0);
            GC.WaitForPendingFinalizers();
        }
        return new RaceResult(done, thrown, wrong, first);

        void Work()
        {
            using Tensor a = full(8, 1.5f), b = full(8, 2.25f);
            while (Interlocked.Read(ref done) < operations && DateTime.UtcNow < end)
            {
                try
                {
                    // Scalars, temporaries, sequences, and reading back what only its accessor holds.
                    using Tensor sum = a + b, difference = sum - a, twice = sum * 2f, joined = stack(Enumerable.Range(0, 2).Select(k => a + k));
                    bool right = sum.data<float>()[0] == 3.75f && difference.data<float>()[0] == 2.25f && twice.data<float>()[0] == 7.5f
                        && (joined + 1f).sum(1).data<float>().ToArray() is [20f, 28f];
                    if (!right) Interlocked.Increment(ref wrong);
                }
#pragma warning disable CA1031 // Any: it is counted.
                catch (Exception e)
                {
                    Interlocked.Increment(ref thrown);
                    if (first.Length == 0) first = e.Message.ReplaceLineEndings(" ");
                }
#pragma warning restore CA1031
                Interlocked.Add(ref done, 10);
            }
        }
    }

    /// <summary>Where there is no engine to do it: libtorch and the shim by the paths in STRESS_NATIVES, in that order.</summary>
    internal static void LoadNatives()
    {
        foreach (string path in Environment.GetEnvironmentVariable("STRESS_NATIVES")!.Split(Path.PathSeparator)) NativeLibrary.Load(path);
        set_num_threads(1);
    }
}
