using System.Globalization;
using ChemScale.Perf.Measuring;

namespace ChemScale.Perf.Counting;

/// <summary>Counted passes as lines for people: all figures are those of one item.</summary>
internal static class CounterDisplay
{
    public static IEnumerable<string> Lines(CountedPass pass)
    {
        string unit = pass.Unit.TrimEnd('s');
        yield return string.Create(CultureInfo.InvariantCulture,
            $"{Case.Text(pass.Parameters)}: {pass.Side} {pass.Pass}: at least {1e12 * pass.Seconds / pass.Items:G4} ps an {unit} on an {Accelerator.Name} (counted)")
            + (pass.Bytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $", {bytes / pass.Items:G4} compulsory bytes") : "");
        foreach (KernelFigures k in pass.Kernels)
        {
            string units = string.Join(", ", k.Units.OrderByDescending(u => u.Value).Select(u => $"{u.Key} {Each(u.Value)}"));
            string times = string.Join(", ", k.Seconds.Where(s => s.Value > 0).OrderByDescending(s => s.Value).Select(s => $"{s.Key} {Each(1e12 * s.Value)} ps"));
            yield return string.Create(CultureInfo.InvariantCulture, $"  {k.Kernel}: {Each(k.Instructions)} warp-instructions ({units}), lanes {k.Lanes:F2}");
            yield return string.Create(CultureInfo.InvariantCulture, $"    memory: {Each(k.Requests)} requests of {k.SectorsPerRequest:F1} sectors, ")
                + $"{Each(32.0 * k.Sectors)} bytes asked for, {Each(k.CompulsoryBytes)} different ones; "
                + $"shared: {Each(k.SharedTurns)} turns, {Each(k.SharedTurnsAtBest)} at best; {Each(k.Barriers)} barriers";
            yield return $"    {Accelerator.Name}: {times}" + (k.LatencyDecides ? $"; {k.ResidentWarps} warps at a time (about {k.Registers} registers): latency is not predicted" : "");
        }

        string Each(double value) => (value / pass.Items).ToString("G4", CultureInfo.InvariantCulture);
    }
}
