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

/// <summary>The energy surface of a neural force field, with the weights that it has when this is made.</summary>
/// <param name="model">Stays the caller's; its weights stay as they are.</param>
internal sealed class ForceFieldPotential(ForceField model) : IPotential, IDisposable
{
    private readonly FramePredictor predictor = new(model);

    public FramePrediction Evaluate(Frame frame, bool stress = false) => predictor.Predict([frame], stress)[0];

    public void Dispose() => predictor.Dispose();
}
