using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models.ForceFields;

namespace ChemScale.Engine.Simulation;

/// <summary>The energy surface of a neural force field.</summary>
/// <param name="model">Stays the caller's.</param>
public sealed class ForceFieldPotential(ForceField model) : IPotential
{
    public FramePrediction Evaluate(Frame frame, bool stress = false) => FramePrediction.Of(model, frame, stress);
}
