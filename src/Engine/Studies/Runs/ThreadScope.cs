using static TorchSharp.torch;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>A number of threads until disposal.</summary>
internal sealed class ThreadScope : IDisposable
{
    // Up to here a step is many short calls; threads that wait for each other between them only cost.
    private const int FewAtoms = 100;

    private readonly int before = get_num_threads();

    /// <param name="threads">0: one for a small frame, else the library's choice.</param>
    /// <param name="atoms">Of the frame that is evaluated over and over.</param>
    /// <exception cref="InputException">A negative number.</exception>
    public ThreadScope(int threads, int atoms)
    {
        if (threads < 0) throw new InputException("threads", $"{threads}", "1 or more");
        set_num_threads(threads > 0 ? threads : atoms <= FewAtoms ? 1 : before);
    }

    public void Dispose() => set_num_threads(before);
}
