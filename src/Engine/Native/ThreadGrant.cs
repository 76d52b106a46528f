using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ChemScale.Engine.Native;

/// <summary>
/// libtorch's number of CPU threads, which is one for the process. Whoever depends on it takes it until the grant is disposed of; meanwhile
/// the same number is granted to others, and another is refused.
/// </summary>
internal sealed partial class ThreadGrant : IDisposable
{
    private static readonly Lock Gate = new();
    private static int holders, granted, before;
    private static bool asked;

    private bool given;

    private ThreadGrant() => given = true;

    /// <summary>From here on the calling thread, and every new one, computes with that many.</summary>
    /// <param name="threads">0: as many as others have taken, else <paramref name="otherwise"/>.</param>
    /// <param name="otherwise">0: as many as the calling thread has.</param>
    /// <param name="place">Key or option to name in an error.</param>
    /// <exception cref="InputException">A negative number, or others have taken another one.</exception>
    public static ThreadGrant Take(int threads, int otherwise = 0, string place = "training.threads")
    {
        ProcessorBudget.Check(threads, least: 0, place);
        lock (Gate)
        {
            int present = get_num_threads();
            if (holders == 0) (granted, before, asked) = (threads > 0 ? threads : otherwise > 0 ? otherwise : present, present, threads > 0);
            else if (threads > 0 && threads != granted)
                throw new InputException(place, $"{threads}", $"{granted}, which others in this process run with", OneHint);
            asked |= threads > 0;
            holders++;
            if (present != granted) Set(granted);
        }
        return new ThreadGrant();
    }

    /// <summary>
    /// Threads for a region whose result does not depend on their number: those of the calling thread, less those whose cores others keep
    /// busy. Who asked for a number has it.
    /// </summary>
    public static int Now
    {
        get
        {
            int threads = get_num_threads();
            return threads <= 1 || (holders > 0 && asked) ? threads : OtherProcesses.Here.Leave(threads);
        }
    }

    /// <summary>
    /// As many as are ours, for all threads of the process, once libtorch is loaded. It counts the cores that it may run on (a sibling pair
    /// as one) and knows of no quota.
    /// </summary>
    internal static void Bound()
    {
        // Elsewhere TorchSharp itself loads the library later; and there libtorch has all that limits us: cores and OMP_NUM_THREADS.
        if (OperatingSystem.IsLinux() && THSTorch_get_num_threads() > ProcessorBudget.Count) THSTorch_set_num_threads(ProcessorBudget.Count);
    }

    /// <summary>What to do where several are wanted at once.</summary>
    public const string OneHint = "libtorch has one number of threads for a process: processes of their own may differ, as `workers` have";

    public void Dispose()
    {
        lock (Gate)
        {
            if (!given) return;
            given = false;
            if (--holders == 0 && get_num_threads() != before) Set(before);
        }
    }

    // TorchSharp's own calls set up more than this needs.
    [LibraryImport("LibTorchSharp")]
    private static partial int THSTorch_get_num_threads();

    [LibraryImport("LibTorchSharp")]
    private static partial void THSTorch_set_num_threads(int threads);

#pragma warning disable RS0030 // Here is the one place.
    private static void Set(int threads) => set_num_threads(threads);
#pragma warning restore RS0030
}
