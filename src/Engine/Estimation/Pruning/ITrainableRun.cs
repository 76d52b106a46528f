using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Selection;

namespace ChemScale.Engine.Estimation.Pruning;

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
