namespace ChemScale.Engine.Estimation.Pruning;

/// <summary>
/// Asynchronous successive halving (Li et al. 2020, arXiv 1810.05934) with one worker: whenever it is free, it promotes a run that is among
/// the best 1/eta of its rung, highest rung first, or else starts the next one.
/// </summary>
public sealed class AshaPruner(double leastFraction = 0.1, double eta = 3) : IPruner
{
    public string Name => FormattableString.Invariant($"ASHA {100 * leastFraction:0.#} %, 1/{eta:0.#}");

    public PrunerChoice Run(IReadOnlyList<ITrainableRun> runs)
    {
        double[] fractions = Rungs.Fractions(leastFraction, eta);
        var rungs = new Rungs(runs);
        List<(int Run, double Loss)>[] seen = [.. fractions.Select(_ => new List<(int, double)>())];
        HashSet<int>[] promoted = [.. fractions.Select(_ => new HashSet<int>())];
        for (int started = 0; ;)
        {
            if (Promotable() is ({ } rung, { } run))
            {
                promoted[rung].Add(run);
                seen[rung + 1].Add((run, rungs.Climb(run, rung + 1, fractions[rung + 1])));
            }
            else if (started < runs.Count)
            {
                seen[0].Add((started, rungs.Climb(started, 0, fractions[0])));
                started++;
            }
            else
            {
                return rungs.Choice();
            }
        }

        (int? Rung, int? Run) Promotable()
        {
            for (int k = fractions.Length - 2; k >= 0; k--)
            {
                foreach ((int run, double loss) in seen[k].OrderBy(s => s.Loss).Take((int)(seen[k].Count / eta)))
                    if (double.IsFinite(loss) && !promoted[k].Contains(run)) return (k, run);
            }
            return (null, null);
        }
    }
}
