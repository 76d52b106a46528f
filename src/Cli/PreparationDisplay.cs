using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Statistics;
using ChemScale.Engine.Atoms.Store;
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
        if (!Due()) return;
        string bar = "";
        if (value.Fraction is { } fraction)
        {
            int filled = (int)(Width * Math.Clamp(fraction, 0, 1));
            bar = $"[{new string('#', filled)}{new string('.', Width - filled)}] {fraction:P0} ";
        }
        Show($"{bar}{value.Stage}: {value.Molecules:N0} molecules, {value.Refused:N0} refused, {value.MoleculesPerSecond:N0}/s");
    }

    public void Report(FramePreparationProgress value)
    {
        if (Due()) Show($"{value.Stage}: {value.Frames:N0} frames, {value.Elapsed.TotalSeconds:F0} s");
    }

    public void Dispose()
    {
        if (open) Console.Error.WriteLine();
        open = false;
    }

    public static void Print(FramePreparationReport report, string folder)
    {
        FrameStoreManifest store = report.Store;
        FrameStatistics statistics = store.Statistics;
        Console.WriteLine($"{folder}: {store.Train.Frames:N0} train, {store.Validation.Frames:N0} validation frames ({store.Split}); eV, Angstrom");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {string.Join(", ", statistics.Elements.Select(Elements.Symbol))}; {(double)store.Train.Atoms / store.Train.Frames:F1} atoms a frame, {statistics.NeighborsPerAtom:F1} neighbours an atom within {statistics.NeighborCutoff} A"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  energy {statistics.MeanEnergyPerAtom:F4} eV/atom, {statistics.EnergyResidual:F4} eV rms around reference energies of the elements; forces {statistics.ForceRms:F4} eV/A rms"));
        foreach (FrameSource source in store.Sources) Console.WriteLine($"  {source.File}: {source.Frames:N0} frames{(source.Validation ? " (validation)" : "")}; {string.Join("; ", source.Keys)}");
        Console.WriteLine($"  {report.Read:N0} frames read, {report.Duplicates:N0} duplicates ({report.Shared:N0} of validation frames), {report.Unlabelled:N0} without labels, {report.Unassigned:N0} on neither side; {report.Elapsed.TotalSeconds:F1} s");
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

    private bool Due()
    {
        if (Stopwatch.GetElapsedTime(last) < period) return false;
        last = Stopwatch.GetTimestamp();
        return true;
    }

    private void Show(string line)
    {
        if (live) Console.Error.Write("\r\x1b[2K" + line);
        else Console.Error.WriteLine(line);
        open = live;
    }
}
