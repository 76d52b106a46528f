using ChemScale.Engine.Atoms;
using ChemScale.Engine.Studies.Report;
using static System.FormattableString;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>Predictions against references: energies per atom, and components of forces by element.</summary>
internal static class ParityFigures
{
    private const float PointSize = 4;
    private const string Color = "#0072B2";

    // More would not be told apart.
    private const int MostElements = 8;

    public static IReadOnlyList<Figure> Of(FrameErrors errors)
    {
        List<Figure> figures = [];
        if (errors.Energy is { } energy) figures.Add(Energies(errors.Energies, energy));
        if (errors.Force is { } forces) figures.Add(Forces(errors.Forces, forces));
        return figures;
    }

    /// <summary>The points drawn.</summary>
    public static CsvTable Numbers(FrameErrors errors)
    {
        var table = new CsvTable("quantity", "frame", "atom", "element", "component", "reference", "predicted");
        foreach (ParityPoint p in errors.Energies.Items) table.Add("energy_per_atom_ev", p.Frame, null, null, null, p.Reference, p.Predicted);
        foreach (ParityPoint p in errors.Forces.Items)
            table.Add("force_ev_per_angstrom", p.Frame, p.Atom, Elements.Symbol(p.Element), "xyz"[p.Component].ToString(), p.Reference, p.Predicted);
        return table;
    }

    private static Figure Energies(ThinnedSample<ParityPoint> sample, EnergyErrors errors)
    {
        ErrorFigures perAtom = errors.MilliElectronVoltPerAtom;
        var chart = new Chart(Invariant($"Energy per atom: MAE {perAtom.Mae:G4} meV, RMSE {perAtom.Rmse:G4} meV"),
            new ChartAxis("Reference (eV/atom)"), new ChartAxis("Prediction (eV/atom)")) { Identity = true };
        chart.Points(sample.Items.Select(p => (p.Reference, p.Predicted)), Mark.Circle, Color, PointSize);
        return new Figure("energies", chart, Caption("frames", sample), new CsvTable());
    }

    private static Figure Forces(ThinnedSample<ParityPoint> sample, ForceErrors errors)
    {
        ErrorFigures figures = errors.ElectronVoltPerAngstrom;
        var chart = new Chart(Invariant($"Components of forces: MAE {figures.Mae:G4} eV/Å, RMSE {figures.Rmse:G4} eV/Å"),
            new ChartAxis("Reference (eV/Å)"), new ChartAxis("Prediction (eV/Å)")) { Identity = true };
        IGrouping<int, ParityPoint>[] groups = [.. sample.Items.GroupBy(p => p.Element).OrderBy(group => group.Key)];
        bool apart = groups.Length <= MostElements;
        for (int i = 0; i < groups.Length; i++)
        {
            string color = apart ? Palette.Ordered(i, groups.Length) : Color;
            Mark mark = apart ? Marks.Of(i, open: false) : Mark.Circle;
            chart.Points(groups[i].Select(p => (p.Reference, p.Predicted)), mark, color, PointSize);
            if (apart) chart.Legend(new LegendEntry(Elements.Symbol(groups[i].Key), color, mark));
        }
        return new Figure("forces", chart, Caption("components", sample), new CsvTable());
    }

    private static string Caption(string what, ThinnedSample<ParityPoint> sample) => sample.IsComplete
        ? $"All {Report.Numbers.Count(sample.Seen)} {what}; the dashed line is perfect agreement."
        : $"{Report.Numbers.Count(sample.Count)} of {Report.Numbers.Count(sample.Seen)} {what}, chosen by a hash of their number; the dashed line is "
            + "perfect agreement. The errors are those of all.";
}
