using ChemScale.Engine.Estimation.Selection;

namespace ChemScale.Engine.Estimation.Pruning;

/// <summary>What successive halving has seen of a set of runs: each run's highest rung, and its loss there.</summary>
internal sealed class Rungs(IReadOnlyList<ITrainableRun> runs)
{
    private readonly int[] rung = [.. Enumerable.Repeat(-1, runs.Count)];
    private readonly double[] loss = [.. Enumerable.Repeat(double.PositiveInfinity, runs.Count)];

    /// <summary>Trains a run to a rung at some share of the budget; returns its loss there.</summary>
    public double Climb(int run, int to, double fraction)
    {
        rung[run] = to;
        return loss[run] = ProbeEstimator.LastTrainingLoss.Of(runs[run].Advance(fraction));
    }

    /// <summary>The lowest loss among those who came highest; the order of the rest by the same rule.</summary>
    public PrunerChoice Choice()
    {
        int[] order = [.. Enumerable.Range(0, runs.Count).Where(i => double.IsFinite(loss[i])).OrderByDescending(i => rung[i])
            .ThenBy(i => loss[i])];
        if (order.Length == 0)
            throw new InputException("selection", "every run diverged", "at least one finite loss", "try lower learning rates");
        double[] scores = [.. Enumerable.Repeat(double.PositiveInfinity, runs.Count)];
        for (int place = 0; place < order.Length; place++) scores[order[place]] = place;
        return new PrunerChoice(order[0], scores);
    }

    /// <summary>Shares of the budget: least, least eta, least eta^2 ... 1.</summary>
    public static double[] Fractions(double least, double eta)
    {
        if (least is not (> 0 and <= 1)) throw new InputException("least fraction", $"{least}", "a number in (0, 1]");
        if (!(eta > 1)) throw new InputException("reduction", $"{eta}", "a number above 1");
        var fractions = new List<double>();
        for (double f = least; f < 1 - 1e-9; f *= eta) fractions.Add(f);
        return [.. fractions, 1];
    }
}
