using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models.ForceFields;

namespace ChemScale.Engine.Simulation;

/// <summary>An energy surface, in float64.</summary>
public interface IPotential
{
    /// <param name="frame">Its labels are not looked at.</param>
    /// <param name="stress">Whether the stress of a periodic frame is wanted too.</param>
    /// <exception cref="InputException">An unknown element, atoms at one point, no proper cell.</exception>
    FramePrediction Evaluate(Frame frame, bool stress = false);
}

/// <summary>The energy surface of a neural force field.</summary>
/// <param name="model">Stays the caller's.</param>
internal sealed class ForceFieldPotential(ForceField model) : IPotential
{
    public FramePrediction Evaluate(Frame frame, bool stress = false) => FramePrediction.Of(model, frame, stress);
}
