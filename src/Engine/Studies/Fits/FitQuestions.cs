using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Allocation;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Scaling.Intervals;

namespace ChemScale.Engine.Studies.Fits;

/// <summary>
/// Questions to a claim. Where it is not determined, or the answer lies more than ten times beyond the points, the reason is the answer.
/// </summary>
/// <param name="claim">Asked.</param>
/// <param name="bootstrap">Of its fit; null: none.</param>
/// <param name="level">Of intervals.</param>
internal sealed class FitQuestions(Claim claim, Bootstrap? bootstrap, double level)
{
    public FitPrediction Predict(IReadOnlyList<double> at)
    {
        double beyond = claim.Beyond(at);
        if (claim.Refusal(at) is { } refusal) return new FitPrediction(at, null, null, null, null, beyond, refusal);
        double[] place = [.. at];
        return new FitPrediction(at, claim.Fit!.Predict(place), ProfileLikelihood.Curve(claim.Fit, level, place), bootstrap?.CurveInterval(level, place),
            bootstrap?.PredictionInterval(level, place), beyond);
    }

    public Requirement Require(double loss)
    {
        Resource resource = claim.Resources[0];
        if (claim.Grade <= ClaimGrade.NotDetermined) return new Requirement(resource, loss, null, null, claim.Refusal([])!);
        if (claim.Rises) return new Requirement(resource, loss, null, null, $"the loss rises with {ClaimText.Symbol(resource)}: no more of it brings it down");
        Requirement found = Requirement.For(claim.Fit!, resource, loss, [], bootstrap, level);
        return found.Value is { } value && claim.Refusal(value) is { } refusal ? new Requirement(resource, loss, null, null, refusal) : found;
    }

    public ComputeAnswer Optimum(double compute)
    {
        if (claim.Grade <= ClaimGrade.NotDetermined) return new ComputeAnswer(compute, null, 1, claim.Refusal([])!);
        ComputeOptimum found = ComputeOptimum.At(claim.Fit!, compute, bootstrap, level);
        string? refusal = claim.Refusal(found.Parameters, found.Data);
        return new ComputeAnswer(compute, refusal is null ? found : null, claim.Beyond(found.Parameters, found.Data), refusal ?? "");
    }

    public LeastCompute Least(double loss)
    {
        if (claim.Grade <= ClaimGrade.NotDetermined) return new LeastCompute(loss, null, null, claim.Refusal([])!);
        if (ComputeOptimum.ForLoss(claim.Fit!, loss, bootstrap, level) is not (var optimum, var interval)) return new LeastCompute(loss, null, null);
        return claim.Refusal(optimum.Parameters, optimum.Data) is { } refusal ? new LeastCompute(loss, null, null, refusal) : new LeastCompute(loss, optimum, interval);
    }
}
