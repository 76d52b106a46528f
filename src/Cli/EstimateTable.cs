using System.Globalization;
using ChemScale.Engine.Estimation.Assessment;
using ChemScale.Engine.Studies.Estimates;

namespace ChemScale.Cli;

/// <summary>Estimates of recorded curves as tables for a terminal.</summary>
internal static class EstimateTable
{
    public static void Print(EstimationReport report)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"estimates from the first {100 * report.Probe:0.#} % of each run; predicted by {report.Estimator}, leaving one out"));
        int width = Math.Clamp(report.Runs.Max(r => r.Name.Length), 8, 32);
        Console.WriteLine($"  {"run".PadRight(width)}{"epochs",8}{"TSE",11}{"TSE-E",11}{"TSE-EMA",11}{"last",11}{"LCGA",11}{"power law",11}{"predicted",11}{"+-",10}{"final",11}");
        foreach (RunEstimate r in report.Runs.OrderBy(r => r.Tse ?? double.PositiveInfinity))
        {
            string figures = string.Concat(((double?[])[r.Tse, r.TseE, r.TseEma, r.Last, r.Lcga, r.PowerLaw, r.Predicted]).Select(v => $"{Text(v),11}"));
            string end = r.Diverged ? "diverged" : r.Finished ? Text(r.Final) : "unfinished";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {r.Name.PadRight(width)}{r.Epochs,8:0.##}{figures}{Text(r.PredictedError),10}{end,11}"));
        }
        Console.WriteLine();
        Console.WriteLine($"  {"estimator",-16}{"chooses".PadRight(width)}{"regret",12}{"runs",6}{"R2 line",9}{"R2 l-o-o",9}{"error",11}{"rho",8}{"tau",8}{"R2 as is",10} | "
            + $"{"within 20 %",11}{"R2 l-o-o",9}{"rho",8}{"tau",8}");
        foreach (EstimatorAssessment e in report.Estimators)
        {
            EstimatorQuality all = e.All, near = e.NearBest;
            Console.WriteLine($"  {e.Estimator,-16}{report.Runs[e.Selected].Name.PadRight(width)}{Text(e.Regret),12}{all.Count,6}{Share(all.R2),9}{Share(all.LeaveOneOutR2),9}"
                + $"{Text(all.LeaveOneOutRms),11}{Share(all.Spearman),8}{Share(all.Kendall),8}{Share(all.DirectR2),10} | {near.Count,11}{Share(near.LeaveOneOutR2),9}{Share(near.Spearman),8}{Share(near.Kendall),8}");
        }
        if (report.Replay is { } replay)
        {
            Console.WriteLine();
            Console.WriteLine($"replay; the best run is {replay.BestRun}, {Text(replay.BestLoss)}");
            foreach (string line in replay.ToTable().Split('\n', StringSplitOptions.RemoveEmptyEntries)) Console.WriteLine("  " + line);
        }
        foreach (string note in report.Notes) Console.WriteLine("note: " + note);
    }

    private static string Text(double? value) => value?.ToString("G5", CultureInfo.InvariantCulture) ?? "-";

    private static string Share(double? value) => value?.ToString("F3", CultureInfo.InvariantCulture) ?? "-";
}
