using ChemScale.Engine.Estimation.Curves;

namespace ChemScale.Engine.Estimation.Pruning;

/// <summary>A recording handed out piece by piece; what is seen of it is what is charged.</summary>
/// <param name="curve">The recording.</param>
/// <param name="fullLength">Planned length, in the unit of <see cref="LossCurve.Length"/>; null: the recording's.</param>
public sealed class RecordedRun(LossCurve curve, int? fullLength = null) : ITrainableRun
{
    public string Name => curve.Name;

    public double Spent { get; private set; }

    public ProbeView Advance(double fraction)
    {
        var view = ProbeView.Of(curve, fraction, fullLength);
        Spent = Math.Max(Spent, view.Fraction);
        return view;
    }
}
