using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;

namespace ChemScale.Engine.Estimation.Pruning;

/// <summary>What a pruner made of a set of runs.</summary>
/// <param name="Selected">Index of the run it would use.</param>
/// <param name="Scores">One for each run, the lower the better; of runs stopped at different budgets, longer kept is better.</param>
public sealed record PrunerChoice(int Selected, IReadOnlyList<double> Scores);

/// <summary>Decides which of several runs go on, and ends with one of them. All it sees, it pays for.</summary>
public interface IPruner
{
    /// <summary>For tables, with what it was set to.</summary>
    string Name { get; }

    /// <exception cref="InputException">No run is left that has not diverged.</exception>
    PrunerChoice Run(IReadOnlyList<ITrainableRun> runs);
}

/// <summary>A run that is trained as far as it is paid for: a real one, or a recording.</summary>
public interface ITrainableRun
{
    string Name { get; }

    /// <summary>Largest share of the budget asked for so far.</summary>
    double Spent { get; }

    /// <summary>
    /// Trains to a share of the budget, and shows what is known by then. A share below <see cref="Spent"/> costs nothing
    /// more.
    /// </summary>
    ProbeView Advance(double fraction);
}
