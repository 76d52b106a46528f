using System.Diagnostics;
using ChemScale.Engine.Tokens.Preparation;

namespace ChemScale.Cli;

/// <summary>The bar of a preparation in progress, on standard error, and its closing account.</summary>
internal sealed class PreparationDisplay : IProgress<PreparationProgress>, IDisposable
{
    private const int Width = 30;

    private readonly bool live = !Console.IsErrorRedirected;
    private readonly TimeSpan period = Console.IsErrorRedirected ? TimeSpan.FromSeconds(5) : TimeSpan.FromMilliseconds(200);
    private long last = Stopwatch.GetTimestamp();
    private bool open;

    public void Report(PreparationProgress value)
    {
        if (Stopwatch.GetElapsedTime(last) < period) return;
        last = Stopwatch.GetTimestamp();
        string bar = "";
        if (value.Fraction is { } fraction)
        {
            int filled = (int)(Width * Math.Clamp(fraction, 0, 1));
            bar = $"[{new string('#', filled)}{new string('.', Width - filled)}] {fraction:P0} ";
        }
        string line = $"{bar}{value.Stage}: {value.Molecules:N0} molecules, {value.Refused:N0} refused, {value.MoleculesPerSecond:N0}/s";
        if (live) Console.Error.Write("\r\x1b[2K" + line);
        else Console.Error.WriteLine(line);
        open = live;
    }

    public void Dispose()
    {
        if (open) Console.Error.WriteLine();
        open = false;
    }

    public static void Print(PreparationReport report, string folder)
    {
        Console.WriteLine($"{folder}: {report.Molecules:N0} molecules ({report.Store.Train.Documents:N0} train, {report.Store.Validation.Documents:N0} validation)"
            + (report.Store.Synthetic ? ", SYNTHETIC" : ""));
        Console.WriteLine($"  {report.Tokens:N0} tokens, {(double)report.Tokens / Math.Max(1, report.Molecules):F1} a molecule, longest {report.Longest}; "
            + $"vocabulary {report.Store.VocabularySize}, {report.Store.UnknownTokens:N0} unknown; SELFIES {Engine.Chemistry.Selfies.SelfiesGrammars.Name(report.Store.Grammar)}");
        Console.WriteLine($"  {report.Lines:N0} lines read, {report.Store.Duplicates:N0} duplicates, {report.RefusedCount:N0} refused; "
            + $"{report.MoleculesPerSecond:N0} molecules/s, peak memory {PeakMemory.Text()}");
        foreach (RefusedLines refused in report.Refused)
        {
            Console.WriteLine($"  refused {refused.Count:N0}: {refused.Reason}");
            foreach (string example in refused.Examples) Console.WriteLine($"    {example}");
        }
    }
}
