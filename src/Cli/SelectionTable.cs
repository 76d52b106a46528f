using System.Globalization;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Cli;

/// <summary>What a selection decided, as a table for a terminal.</summary>
internal static class SelectionTable
{
    public static void Print(SelectionSummary summary, bool json)
    {
        if (json)
        {
            Output.Json(summary);
            return;
        }
        Console.WriteLine($"{"learning rate",13} {"batch",6} {"fate",-9} {summary.Estimator,10} {"predicted",10} {"final",10}");
        foreach (ConfigurationOutcome c in summary.Configurations.OrderBy(c => c.Estimate ?? double.PositiveInfinity))
        {
            Console.WriteLine($"{c.LearningRate,13:G3} {c.BatchSize,6} {c.Fate.ToString().ToLowerInvariant(),-9} {Number(c.Estimate),10} {Number(c.Predicted),10} {Number(c.Final),10}"
                + (c.IsDefault ? "  Hugging Face's default" : ""));
        }
        ConfigurationOutcome best = summary.Configurations[summary.Selected];
        Console.WriteLine($"selected: learning rate {best.LearningRate:G3}, batch size {best.BatchSize}; {summary.ComputeSaved:P1} of the compute saved "
            + $"by probing {summary.Configurations.Count} for {summary.ProbeEpochs} of {summary.FullEpochs} epochs");
        if (summary.Validated)
            Console.WriteLine($"finished all: R2 {Number(summary.R2)}, Spearman rho {Number(summary.Spearman)}, regret {Number(summary.Regret)}; within 20 % of the best: R2 {Number(summary.R2NearBest)}, rho {Number(summary.SpearmanNearBest)}");
    }

    private static string Number(double? value) => value?.ToString("F4", CultureInfo.InvariantCulture) ?? "-";
}
