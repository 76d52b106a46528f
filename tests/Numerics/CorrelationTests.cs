using ChemScale.Engine.Numerics;
using NUnit.Framework;

namespace ChemScale.Tests.Numerics;

public class CorrelationTests
{
    [Test]
    public void Ties_share_their_mean_rank() =>
        Assert.That(Correlation.Midranks([3, 1, 3, 2, 3]), Is.EqualTo(new[] { 4.0, 1, 4, 2, 4 }));

    [Test]
    public void Spearman_without_ties_matches_the_formula_of_rank_differences()
    {
        double[] x = [0.1, 5, 2, 9, 3], y = [2, 4, 1, 5, 3];
        // Ranks of x: 1 4 2 5 3, of y: 2 4 1 5 3; sum of d^2 = 2; 1 - 6*2/(5*24).
        Expect.Close(Correlation.Spearman(x, y), 0.9, absolute: 1e-15);
    }

    [Test]
    public void Kendall_tau_b_corrects_for_ties()
    {
        // 6 pairs: concordant 4, discordant 0, one tied in x only, one tied in y only.
        Expect.Close(Correlation.KendallTauB([1, 1, 2, 3], [1, 2, 3, 3]), 4 / 5.0, absolute: 1e-15);
        Expect.Close(Correlation.KendallTauB([1, 2, 3], [3, 2, 1]), -1, absolute: 1e-15);
    }

    [Test]
    public void A_constant_list_has_no_correlation()
    {
        Assert.That(Correlation.Spearman([1, 1, 1], [1, 2, 3]), Is.Null);
        Assert.That(Correlation.KendallTauB([1, 1, 1], [1, 2, 3]), Is.Null);
        Assert.That(Correlation.Spearman([1], [1]), Is.Null);
    }
}
