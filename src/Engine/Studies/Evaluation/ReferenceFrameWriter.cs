using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Models.ForceFields;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>
/// Writes frames with predictions as energy, forces and stress, references as REF_energy, REF_forces and REF_stress, and each frame's
/// errors: energy_error (eV), energy_error_per_atom (eV), force_mae (eV/A).
/// </summary>
internal sealed class ReferenceFrameWriter(TextWriter writer)
{
    private readonly ExtXyzWriter _frames = new(writer);

    public void Write(Frame frame, FramePrediction prediction)
    {
        // Absent references are written as NaN: readers that prefer REF_ names must not take a prediction for one.
        double energy = frame.Energy ?? double.NaN, error = prediction.Energy - energy;
        double[] forces = frame.Forces ?? [.. Enumerable.Repeat(double.NaN, 3 * frame.Atoms)];
        double[] differences = [.. forces.Select((force, i) => Math.Abs(prediction.Forces[i] - force)).Where(d => !double.IsNaN(d))];
        Dictionary<string, double> info = new() { ["REF_energy"] = energy };
        if (frame.HasEnergy) (info["energy_error"], info["energy_error_per_atom"]) = (error, error / frame.Atoms);
        if (differences.Length > 0) info["force_mae"] = differences.Average();
        Dictionary<string, double[]> columns = new() { ["REF_forces"] = forces }, tensors = [];
        if (prediction.Stress is not null) tensors["REF_stress"] = frame.Stress ?? [.. Enumerable.Repeat(double.NaN, 9)];
        Frame predicted = frame with { Energy = prediction.Energy, Forces = prediction.Forces, Stress = prediction.Stress };
        _frames.Write(predicted, info, columns, tensors);
    }
}
