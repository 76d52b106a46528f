namespace ChemScale.Engine.Estimation.Pruning;

/// <summary>Runs one after the other, each looked at in equal steps of its budget and stopped on what was seen so far.</summary>
public abstract class SequentialPruner(int checks) : IPruner
{
    public abstract string Name { get; }

    protected int Checks => checks;

    public PrunerChoice Run(IReadOnlyList<ITrainableRun> runs)
    {
        if (checks < 1) throw new InputException("checks", $"{checks}", "at least 1");
        var histories = new List<IReadOnlyList<double>>();
        var rungs = new Rungs(runs);
        for (int i = 0; i < runs.Count; i++)
        {
            var history = new List<double>();
            for (int k = 1; k <= checks; k++)
            {
                double loss = rungs.Climb(i, k, k / (double)checks);
                history.Add(loss);
                if (!double.IsFinite(loss) || (k < checks && Stops(history, histories))) break;
            }
            histories.Add(history);
        }
        return rungs.Choice();
    }

    /// <param name="history">Losses of this run at its checks so far.</param>
    /// <param name="earlier">Those of the runs before it; the longer, the further they came.</param>
    protected internal abstract bool Stops(IReadOnlyList<double> history, IReadOnlyList<IReadOnlyList<double>> earlier);
}
