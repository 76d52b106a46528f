using ChemScale.Engine.Estimation.Curves;

namespace ChemScale.Engine.Estimation;

/// <summary>Training speed estimates of one probe; the lower, the better the configuration is expected to end.</summary>
/// <param name="Epochs">T; may be fractional.</param>
/// <param name="Tse">Sum over epochs of the mean training loss.</param>
/// <param name="TseE">The same over the last E epochs.</param>
/// <param name="TseEma">The same with weight gamma^(T-t).</param>
/// <param name="LastLoss">Mean training loss of the last epoch looked at.</param>
internal sealed record TseEstimate(double Epochs, double Tse, double TseE, double TseEma, double LastLoss);

/// <summary>
/// Training speed estimation (Ru et al. 2021, arXiv 2006.04492): TSE = sum over t = 1..T of the mean of epoch t's mini-batch losses, each
/// taken
/// with the weights of its step; TSE-E its last E epochs; TSE-EMA with weights gamma^(T-t).
/// </summary>
internal static class TrainingSpeed
{
    public const double UsualGamma = 0.999;

    /// <param name="curve">At least T epochs of training losses (T + 1 in the <see cref="TseConvention.Litmatter"/> convention).</param>
    /// <param name="epochs">
    /// T, counted from the run's start. Where it is not whole, steps count instead of epochs: an epoch is then any
    /// <see cref="LossCurve.StepsPerEpoch"/> steps, counted back from the end of the probe, the earliest one partial.
    /// Null: the whole curve.
    /// </param>
    /// <param name="lastEpochs">E, at most T.</param>
    /// <param name="gamma">In (0, 1].</param>
    /// <param name="convention">Right by default.</param>
    /// <exception cref="InputException">The curve is too short, or a parameter out of range.</exception>
    public static TseEstimate Estimate(LossCurve curve, double? epochs = null, int lastEpochs = 1, double gamma = UsualGamma,
        TseConvention convention = TseConvention.Standard)
    {
        double t = epochs ?? curve.EpochLength;
        if (!(t > 0)) throw new InputException("epochs", $"{t}", "a number above 0");
        if (gamma is not (> 0 and <= 1)) throw new InputException("gamma", $"{gamma}", "a number in (0, 1]");
        if (lastEpochs < 1 || lastEpochs > Math.Ceiling(t))
            throw new InputException("E", $"{lastEpochs}", $"1 to {Math.Ceiling(t)}, the epochs of the probe");
        if (convention == TseConvention.Litmatter) return Litmatter(curve, t, lastEpochs, gamma);
        double[] means = Means(curve, t, out double firstShare);
        double tse = 0, tseE = 0, tseEma = 0;
        for (int i = 0; i < means.Length; i++)
        {
            double term = i == 0 ? means[i] * firstShare : means[i];
            int back = means.Length - 1 - i;
            tse += term;
            if (back < lastEpochs) tseE += term;
            tseEma += term * Math.Pow(gamma, back);
        }
        return new TseEstimate(t, tse, tseE, tseEma, means[^1]);
    }

    // Mean loss of each epoch up to T, oldest first; the first may stand for a part of an epoch only, its share.
    private static double[] Means(LossCurve curve, double t, out double firstShare)
    {
        firstShare = 1;
        if (t == Math.Floor(t) && WholeEpochs(curve, (int)t)) return [.. curve.Epochs.Take((int)t).Select(e => e.Mean)];
        int perEpoch = curve.StepsPerEpoch, steps = (int)Math.Round(t * perEpoch);
        if (curve.Steps.Count < steps || steps == 0)
            throw new InputException(curve.Name, $"{curve.EpochLength:0.###} epochs of training losses", $"{t:0.###}",
                "probe longer, or estimate from fewer epochs");
        int first = (steps - 1) % perEpoch + 1, windows = (steps + perEpoch - 1) / perEpoch;
        double[] means = new double[windows];
        for (int w = 0; w < windows; w++)
        {
            int from = w == 0 ? 0 : first + (w - 1) * perEpoch, to = first + w * perEpoch;
            double sum = 0;
            for (int i = from; i < to; i++) sum += curve.Steps[i].Loss;
            means[w] = sum / (to - from);
        }
        firstShare = first / (double)perEpoch;
        return means;
    }

    // There are so many, and the last of them is complete: the curve goes on after it, or it is as long as the others.
    private static bool WholeEpochs(LossCurve curve, int count) => curve.Epochs.Count >= count
        && (curve.Steps.Count == 0 || curve.Epochs.Count > count || curve.Epochs[count - 1].Steps >= curve.StepsPerEpoch);

    private static TseEstimate Litmatter(LossCurve curve, double t, int lastEpochs, double gamma)
    {
        if (t != Math.Floor(t)) throw new InputException("epochs", $"{t}", "a whole number in the litmatter convention");
        int last = (int)t;
        EpochLoss beyond = curve.Epochs.FirstOrDefault(e => e.Epoch == last);
        if (beyond.Steps == 0)
            throw new InputException(curve.Name, $"{curve.Epochs.Count} epochs", $"at least {last + 1}",
                "the litmatter convention looks one epoch beyond T");
        double tse = 0, tseE = 0, tseEma = 0;
        foreach (EpochLoss epoch in curve.Epochs.Where(e => e.Epoch <= last))
        {
            double term = epoch.Sum / beyond.Steps;
            if (epoch.Epoch < last) tse += term;
            if (epoch.Epoch > last - lastEpochs) tseE += term;
            tseEma += term * Math.Pow(gamma, last - epoch.Epoch);
        }
        return new TseEstimate(t, tse, tseE, tseEma, beyond.Mean);
    }
}

/// <summary>Which epochs the training speed estimators sum over.</summary>
public enum TseConvention
{
    /// <summary>Epochs 1 .. T in all three estimators, as in Ru et al. 2021 (arXiv 2006.04492).</summary>
    Standard,

    /// <summary>
    /// As in the code released with Frey et al. 2023: TSE over epochs 1 .. T, but TSE-E over T-E+2 .. T+1 and TSE-EMA over 1 .. T+1, so
    /// that
    /// both look one epoch beyond T; sums of every epoch are divided by the number of mini-batches of epoch T+1.
    /// </summary>
    Litmatter,
}
