using ChemScale.Engine.Native;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>Threads for a model that is evaluated over and over.</summary>
internal static class ThreadScope
{
    // Up to here a step is many short calls; threads that wait for each other between them only cost.
    private const int FewAtoms = 100;

    /// <param name="threads">0: one for a small frame, else the library's choice.</param>
    /// <param name="atoms">Of the frame that is evaluated.</param>
    /// <exception cref="InputException">A negative number, or runs of this process have another one.</exception>
    public static ThreadGrant Take(int threads, int atoms) => ThreadGrant.Take(threads, atoms <= FewAtoms ? 1 : 0, "threads");
}
