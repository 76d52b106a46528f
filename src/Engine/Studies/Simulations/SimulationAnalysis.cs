using System.Text.Encodings.Web;
using System.Text.Json;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Files;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Simulation;
using ChemScale.Engine.Studies.Report;
using static System.FormattableString;

namespace ChemScale.Engine.Studies.Simulations;

/// <summary>What a simulation shows: temperature, energies and pressure in time, distances, displacements and velocities, on one page.</summary>
public static class SimulationAnalysis
{
    public const string PageName = "analysis.html", FiguresName = "analysis.json";

    private const int MostPoints = 2000;

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes analysis.html, analysis.json, and under figures/ each picture with its numbers.</summary>
    /// <param name="source">The folder of a simulation (or of one of its replicas), or a file of frames.</param>
    /// <param name="options">How far.</param>
    /// <param name="output">Folder for what is written; null: that of the simulation.</param>
    /// <param name="stop">Gives up; nothing is written then.</param>
    /// <exception cref="InputException">No trajectory, frames that do not go together, or a folder that cannot be written to.</exception>
    public static TrajectoryAnalysis Run(string source, AnalysisOptions options, string? output = null, CancellationToken stop = default)
    {
        bool isFolder = Directory.Exists(source);
        string file = isFolder ? Path.Combine(source, SimulationFolder.Trajectory) : source;
        output ??= isFolder ? source : Path.GetDirectoryName(Path.GetFullPath(source))!;
        if (isFolder && !File.Exists(file))
        {
            throw new InputException(source, $"no {SimulationFolder.Trajectory}", "the folder of a simulation",
                Directory.Exists(Path.Combine(source, "replica-00")) ? "each replica has a folder of its own in it" : "");
        }
        options = options with { File = file, Stop = stop };
        TrajectoryAnalysis analysis = TrajectoryAnalysis.Of(FrameFiles.Read(file, new FrameReadOptions { GeometryOnly = true, Stop = options.Stop }).Skip(options.Skip), options);
        string thermo = Path.Combine(source, SimulationFolder.Thermo);
        List<Figure> figures = isFolder && File.Exists(thermo) ? [.. InTime(CsvTable.Read(thermo))] : [];
        figures.Add(Distances(analysis));
        figures.Add(Correlation("displacements", "Mean squared displacement", "Å²", analysis.Displacements, analysis.IntervalFs,
            string.Join("; ", analysis.Displacements.Where(d => d.Diffusion is not null).Select(d => Invariant($"{d.Name}: D = {d.Diffusion:G3} cm²/s")))));
        if (analysis.Velocities.Count > 0)
            figures.Add(Correlation("velocities", "Velocity autocorrelation", "over its first value", analysis.Velocities, analysis.IntervalFs, ""));
        string title = $"Simulation {Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(source)))}";
        string page = ReportPage.Page(title, Html.Element("header", Html.Element("h1", title), Html.Paragraph(Html.Class("meta"), Invariant(
            $"{analysis.Frames} frames of {analysis.Atoms} atoms{(analysis.IntervalFs is { } fs ? Invariant($", {fs:G6} fs apart") : "")}, {options.Skip} left out before."))),
            figures.Select(ReportPage.Figure));
        ReportFiles.Write(output, [(FiguresName, JsonSerializer.Serialize(analysis, Json) + "\n")], figures, (PageName, page), DiskStorage.Shared);
        return analysis;
    }

    private static IEnumerable<Figure> InTime(CsvTable thermo)
    {
        (string Column, string Name, string Title, string Unit)[] shown =
        [
            ("temperature_K", "temperature", "Temperature", "K"), ("potential_eV", "potential-energy", "Potential energy", "eV"),
            ("total_eV", "total-energy", "Total energy", "eV"), ("pressure_GPa", "pressure", "Pressure", "GPa"), ("volume_A3", "volume", "Volume", "Å³"),
        ];
        int time = thermo.Column("time_fs");
        foreach ((string column, string name, string title, string unit) in shown)
        {
            if (thermo.FindColumn(column) is not { } at) continue;
            var csv = new CsvWriter("time_ps", column);
            var mean = new RunningMean();
            List<(double, double)> points = [];
            for (int row = 0; row < thermo.RowCount; row++)
            {
                if (thermo.Number(row, time) is not { } t || thermo.Number(row, at) is not { } value) continue;
                csv.Add(t / 1000, value);
                mean.Add(value);
                points.Add((t / 1000, value));
            }
            var chart = new Chart(title, new ChartAxis("Time (ps)"), new ChartAxis($"{title} ({unit})"));
            int every = 1 + points.Count / MostPoints;
            chart.Line(points.Where((_, i) => i % every == 0), Palette.Ordered(0, 1), width: 1.2f);
            string thinned = every > 1 ? Invariant($" Every {every}th of {points.Count} rows is drawn.") : "";
            yield return new Figure(name, chart, Invariant($"Mean {mean.Mean:G6} {unit}, standard deviation {mean.Deviation:G4}.{thinned}"), csv);
        }
    }

    private static Figure Distances(TrajectoryAnalysis analysis)
    {
        bool normal = analysis.RadialDistributions[0].IsNormalized;
        var chart = new Chart(normal ? "Radial distribution" : "Distances between atoms", new ChartAxis("Distance (Å)"), new ChartAxis(normal ? "g(r)" : "Share (1/Å)"));
        var csv = new CsvWriter("pair", "distance_A", normal ? "g" : "share_per_A", "coordination");
        for (int i = 0; i < analysis.RadialDistributions.Count; i++)
        {
            RadialDistribution g = analysis.RadialDistributions[i];
            string color = Palette.Ordered(i, analysis.RadialDistributions.Count);
            double[] distances = g.Distances, values = g.Values, within = g.Coordination;
            chart.Line(distances.Zip(values), color);
            chart.Legend(new LegendEntry(g.Name, color, Line: Dash.Solid));
            for (int b = 0; b < distances.Length; b++) csv.Add(g.Name, distances[b], values[b], within[b]);
        }
        return new Figure("distances", chart,
            normal ? "Over what there would be at the same density without any order." : "Nothing repeats: there is no density to compare with.", csv);
    }

    private static Figure Correlation(string name, string title, string unit, IReadOnlyList<TimeCorrelation> all, double? interval, string caption)
    {
        bool timed = interval is not null;
        var chart = new Chart(title, new ChartAxis(timed ? "Time between frames (ps)" : "Frames between"), new ChartAxis($"{title} ({unit})"));
        var csv = new CsvWriter("atoms", timed ? "time_ps" : "frames", "value");
        for (int i = 0; i < all.Count; i++)
        {
            string color = Palette.Ordered(i, all.Count);
            double scale = timed ? 1000 : 1;
            chart.Line(all[i].TimesFs.Zip(all[i].Values, (t, v) => (t / scale, v)), color);
            chart.Legend(new LegendEntry(all[i].Name, color, Line: Dash.Solid));
            for (int l = 0; l < all[i].Values.Length; l++) csv.Add(all[i].Name, all[i].TimesFs[l] / scale, all[i].Values[l]);
        }
        return new Figure(name, chart, $"Averaged over atoms and starting times, the centre of mass held. {caption}".TrimEnd(), csv);
    }
}
