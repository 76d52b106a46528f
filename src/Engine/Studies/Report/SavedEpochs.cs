using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Report;

/// <summary>
/// The arithmetic of what selection saves: probes of all configurations and finishes of the kept ones, against running all to the end.
/// In epochs, each of which costs the same compute whatever the batch size, and in the time they took.
/// </summary>
internal sealed record SavedEpochs(long Probes, long Finishes, long All, double SelectionSeconds, double AllSeconds)
{
    public double Fraction => All > 0 ? 1 - (double)(Probes + Finishes) / All : double.NaN;

    public static SavedEpochs Of(SelectionSummary selection)
    {
        long probes = 0, finishes = 0, all = 0;
        double selectionSeconds = 0, allSeconds = 0;
        int rest = Math.Max(0, selection.FullEpochs - selection.ProbeEpochs);
        foreach (ConfigurationOutcome c in selection.Configurations)
        {
            // A diverged run ends where it diverged; the others were probed in full.
            bool diverged = c.Fate == ConfigurationFate.Diverged;
            long probe = diverged ? Math.Min(c.EpochLosses.Count, selection.ProbeEpochs) : selection.ProbeEpochs;
            long finish = c.Fate == ConfigurationFate.Kept ? rest : 0;
            probes += probe;
            finishes += finish;
            all += selection.FullEpochs;
            selectionSeconds += (probe + finish) * c.SecondsPerEpoch;
            allSeconds += selection.FullEpochs * c.SecondsPerEpoch;
        }
        return new SavedEpochs(probes, finishes, all, selectionSeconds, allSeconds);
    }

    /// <summary>The arithmetic in sentences.</summary>
    public static IEnumerable<string> Sentences(SelectionSummary selection)
    {
        int count = selection.Configurations.Count;
        if (count == 0) yield break;
        SavedEpochs saved = Of(selection);
        int kept = selection.Configurations.Count(c => c.Fate == ConfigurationFate.Kept);
        int diverged = selection.Configurations.Count(c => c.Fate == ConfigurationFate.Diverged);
        int full = selection.FullEpochs, probe = selection.ProbeEpochs;
        string unused = saved.Probes == (long)count * probe ? ""
            : $", less what {Numbers.Count(diverged)} diverged {(diverged == 1 ? "run" : "runs")} did not use";
        string configurations = count == 1 ? "1 configuration" : $"{Numbers.Count(count)} configurations";
        yield return $"Probes: {configurations} × {Epochs(probe)}{unused} = {Epochs(saved.Probes)}.";
        yield return $"Finishing the kept: {Numbers.Count(kept)} × ({Numbers.Count(full)} − {Numbers.Count(probe)}) epochs = "
            + $"{Epochs(saved.Finishes)}.";
        yield return $"All to the end: {Numbers.Count(count)} × {Epochs(full)} = {Epochs(saved.All)}.";
        yield return $"Saved: 1 − ({Numbers.Count(saved.Probes)} + {Numbers.Count(saved.Finishes)}) / {Numbers.Count(saved.All)} = "
            + $"{Numbers.Percent(saved.Fraction)} of the epochs{StudysOwn(selection, saved)}.";
        if (double.IsFinite(saved.AllSeconds) && saved.AllSeconds > 0)
        {
            yield return $"In time, at each configuration's own seconds per epoch: {Numbers.Duration(saved.SelectionSeconds)} instead of "
                + $"{Numbers.Duration(saved.AllSeconds)}, {Numbers.Percent(1 - saved.SelectionSeconds / saved.AllSeconds)} less.";
        }
        if (selection.Validated && kept + diverged < count)
            yield return "Here the stopped were run to the end as well, to compare predictions with the truth; that is not counted.";
    }

    private static string StudysOwn(SelectionSummary selection, SavedEpochs saved) =>
        double.IsFinite(selection.ComputeSaved) && !(Math.Abs(saved.Fraction - selection.ComputeSaved) < 0.0005)
            ? $"; by the study's own count, {Numbers.Percent(selection.ComputeSaved)}" : "";

    private static string Epochs(long count) => SelectionFigures.Epochs(count);
}
