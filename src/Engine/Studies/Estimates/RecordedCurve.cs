using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Studies.Search;

namespace ChemScale.Engine.Studies.Estimates;

/// <summary>A recorded run as estimation needs it.</summary>
/// <param name="Curve">Its losses.</param>
/// <param name="FullLength">Planned length, in the unit of <see cref="LossCurve.Length"/>.</param>
/// <param name="Finished">It is that long, or was ended by a rule of its own, and did not diverge.</param>
/// <param name="Setting">Learning rate and batch size; null where the recording does not say.</param>
/// <param name="Flop">6 N S of the whole run; null where unknown.</param>
/// <param name="Seconds">Of the whole run; null where unknown.</param>
/// <param name="Kilojoules">Of the whole run; null without a power log.</param>
public sealed record RecordedCurve(LossCurve Curve, int FullLength, bool Finished, Configuration? Setting = null, double? Flop = null,
    double? Seconds = null, double? Kilojoules = null)
{
    public string Name => Curve.Name;

    /// <summary>NaN where it is not finished.</summary>
    public double FinalLoss => Finished ? Curve.LastTrainingLoss : double.NaN;
}
