namespace ChemScale.Engine.Numerics;

/// <summary>How two lists of numbers go together. Null where it is undefined: fewer than two pairs, or one list constant.</summary>
internal static class Correlation
{
    /// <summary>Ranks from 1; ties share their mean rank.</summary>
    public static double[] Midranks(IReadOnlyList<double> values)
    {
        int[] order = [.. Enumerable.Range(0, values.Count).OrderBy(i => values[i])];
        double[] ranks = new double[values.Count];
        for (int first = 0, next; first < order.Length; first = next)
        {
            next = first + 1;
            while (next < order.Length && values[order[next]].Equals(values[order[first]])) next++;
            for (int k = first; k < next; k++) ranks[order[k]] = (first + next + 1) / 2.0;
        }
        return ranks;
    }

    public static double? Pearson(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        double meanX = x.Average(), meanY = y.Average(), xx = 0, yy = 0, xy = 0;
        for (int i = 0; i < x.Count; i++)
        {
            double dx = x[i] - meanX, dy = y[i] - meanY;
            xx += dx * dx;
            yy += dy * dy;
            xy += dx * dy;
        }
        double scale = Math.Sqrt(xx * yy);
        return scale > 0 ? Math.Clamp(xy / scale, -1, 1) : null;
    }

    /// <summary>Spearman's rho: Pearson's correlation of the midranks.</summary>
    public static double? Spearman(IReadOnlyList<double> x, IReadOnlyList<double> y) =>
        x.Count < 2 ? null : Pearson(Midranks(x), Midranks(y));

    /// <summary>Kendall's tau-b: (concordant - discordant) / sqrt((pairs untied in x)(pairs untied in y)).</summary>
    public static double? KendallTauB(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        long score = 0, untiedX = 0, untiedY = 0;
        for (int i = 0; i < x.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                int dx = x[i].CompareTo(x[j]), dy = y[i].CompareTo(y[j]);
                score += Math.Sign(dx) * Math.Sign(dy);
                if (dx != 0) untiedX++;
                if (dy != 0) untiedY++;
            }
        }
        return untiedX > 0 && untiedY > 0 ? score / (Math.Sqrt((double)untiedX * untiedY)) : null;
    }
}
