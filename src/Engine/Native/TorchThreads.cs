using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ChemScale.Engine.Native;

/// <summary>
/// Runs loops on libtorch's own OpenMP threads. A second pool would fight with it: those threads spin for work after each operation.
/// </summary>
internal static unsafe class TorchThreads
{
    private static readonly delegate* unmanaged[Cdecl]<delegate* unmanaged[Cdecl]<nint, void>, nint, uint, uint, void> OpenMpParallel = Find();

    /// <summary>True where loops run on libtorch's threads; elsewhere (no GNU OpenMP) they run on the .NET pool.</summary>
    public static bool Shared => OpenMpParallel != null;

    /// <summary>
    /// Runs <paramref name="body"/> for 0 .. count - 1, dynamically shared among <see cref="ThreadGrant.Now"/> threads. Bodies must
    /// write to disjoint places; then the result does not depend on the number of threads.
    /// </summary>
    public static void For(int count, Action<int> body)
    {
        int threads = Math.Min(ThreadGrant.Now, count);
        if (threads <= 1)
        {
            using var own = new Region();
            for (int i = 0; i < count; i++) body(i);
        }
        else if (OpenMpParallel == null)
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
            {
                using var own = new Region();
                body(i);
            });
        }
        else
        {
            var loop = new Loop(count, body);
            GCHandle handle = GCHandle.Alloc(loop);
            OpenMpParallel(&Enter, GCHandle.ToIntPtr(handle), (uint)threads, 0);
            handle.Free();
            if (loop.Failure is { } failure) throw new AggregateException(failure);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Enter(nint handle) => ((Loop)GCHandle.FromIntPtr(handle).Target!).Run();

    private static delegate* unmanaged[Cdecl]<delegate* unmanaged[Cdecl]<nint, void>, nint, uint, uint, void> Find()
    {
        NativeLibraries.EnsureLoaded();
        if (!OperatingSystem.IsLinux() || NativeLibraries.TorchFolder is not { } folder) return null;
        // Already loaded with libtorch_cpu: opening it again by path gives the same instance. Python's wheels keep it in torch.libs.
        foreach (string place in (string[])[folder, Path.Combine(folder, "..", "..", "torch.libs")])
        {
            if (!Directory.Exists(place)) continue;
            foreach (string file in Directory.GetFiles(place, "libgomp*.so*"))
            {
                if (NativeLibrary.TryLoad(file, out nint library) && NativeLibrary.TryGetExport(library, "GOMP_parallel", out nint entry))
                    return (delegate* unmanaged[Cdecl]<delegate* unmanaged[Cdecl]<nint, void>, nint, uint, uint, void>)entry;
            }
        }
        return null;
    }

    /// <summary>What a thread has to itself while it works on pieces: products made by it alone.</summary>
    private readonly ref struct Region : IDisposable
    {
        private readonly int threads;

        public Region() => threads = Blas.UseOneThread();

        public void Dispose() => Blas.Restore(threads);
    }

    private sealed class Loop(int count, Action<int> body)
    {
        private int next;

        public Exception? Failure { get; private set; }

        public void Run()
        {
            using var own = new Region();
            try
            {
                for (int i; (i = Interlocked.Increment(ref next) - 1) < count;) body(i);
            }
#pragma warning disable CA1031 // It must not unwind into OpenMP's frames; For rethrows it.
            catch (Exception e)
            {
                Failure = e;
                Volatile.Write(ref next, count);
            }
#pragma warning restore CA1031
        }
    }
}
