using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Simulation;

namespace ChemScale.Tests.Simulation;

/// <summary>Every atom bound to the origin by a spring: half k r^2.</summary>
internal sealed class Springs(double k) : IPotential
{
    public FramePrediction Evaluate(Frame frame, bool stress = false) =>
        new(k / 2 * frame.Positions.Sum(x => x * x), [.. frame.Positions.Select(x => -k * x)], null);

    public static Frame Atoms(int count, int element = 6) => new()
    {
        AtomicNumbers = [.. Enumerable.Repeat(element, count)],
        Positions = [.. Enumerable.Range(0, 3 * count).Select(i => 0.1 * Math.Sin(i + 1))],
    };
}
