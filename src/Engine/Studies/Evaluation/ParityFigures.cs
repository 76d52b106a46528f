using ChemScale.Engine.Atoms;
using ChemScale.Engine.Numerics;
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
        if (errors.Energy is { } energy)
        {
            figures.Add(Energies(errors.Energies, energy));
            figures.Add(EnergyErrors(errors.Energies, energy));
        }
        if (errors.Force is { } forces) figures.Add(Forces(errors.Forces, forces));
        return figures;
    }

    /// <summary>The points drawn.</summary>
    public static CsvWriter Numbers(FrameErrors errors)
    {
        var table = new CsvWriter("quantity", "frame", "atom", "element", "component", "reference", "predicted");
        foreach (ParityPoint p in errors.Energies.Items)
            table.Add("energy_per_atom_ev", p.Frame, null, null, null, p.Reference, p.Predicted);
        foreach (ParityPoint p in errors.Forces.Items)
        {
            string element = Elements.Symbol(p.Element), component = "xyz"[p.Component].ToString();
            table.Add("force_ev_per_angstrom", p.Frame, p.Atom, element, component, p.Reference, p.Predicted);
        }
        return table;
    }

    private static Figure Energies(ThinnedSample<ParityPoint> sample, EnergyErrors errors)
    {
        ErrorFigures perAtom = errors.MilliElectronVoltPerAtom;
        var chart = new Chart(Invariant($"Energy per atom: MAE {perAtom.Mae:G4} meV, RMSE {perAtom.Rmse:G4} meV"),
            new ChartAxis("Reference (eV/atom)"), new ChartAxis("Prediction (eV/atom)"))
        {
            Identity = true,
        };
        chart.Points(sample.Items.Select(p => (p.Reference, p.Predicted)), Mark.Circle, Color, PointSize);
        return new Figure("energies", chart, Caption("frames", sample), new CsvWriter());
    }

    /// <summary>Where frames are of several compositions, these lie so far apart that parity shows nothing of the errors.</summary>
    private static Figure EnergyErrors(ThinnedSample<ParityPoint> sample, EnergyErrors errors)
    {
        var chart = new Chart(Invariant($"Error of energy, frame by frame: largest {errors.MilliElectronVoltPerAtom.Largest:G4} meV/atom"),
            new ChartAxis("Number of the frame", Integers: true), new ChartAxis("Prediction less reference (meV/atom)"));
        chart.Points(sample.Items.Select(p => ((double)p.Frame, 1000 * (p.Predicted - p.Reference))), Mark.Circle, Color, PointSize);
        return new Figure("energy-errors", chart, Caption("frames", sample, parity: false), new CsvWriter());
    }

    private static Figure Forces(ThinnedSample<ParityPoint> sample, ForceErrors errors)
    {
        ErrorFigures figures = errors.ElectronVoltPerAngstrom;
        var chart = new Chart(Invariant($"Components of forces: MAE {figures.Mae:G4} eV/Å, RMSE {figures.Rmse:G4} eV/Å"),
            new ChartAxis("Reference (eV/Å)"), new ChartAxis("Prediction (eV/Å)"))
        {
            Identity = true,
        };
        IGrouping<int, ParityPoint>[] groups = [.. sample.Items.GroupBy(p => p.Element).OrderBy(group => group.Key)];
        bool apart = groups.Length <= MostElements;
        for (int i = 0; i < groups.Length; i++)
        {
            string color = apart ? Palette.Ordered(i, groups.Length) : Color;
            Mark mark = apart ? Marks.Of(i, open: false) : Mark.Circle;
            chart.Points(groups[i].Select(p => (p.Reference, p.Predicted)), mark, color, PointSize);
            if (apart) chart.Legend(new LegendEntry(Elements.Symbol(groups[i].Key), color, mark));
        }
        return new Figure("forces", chart, Caption("components", sample), new CsvWriter());
    }

    private static string Caption(string what, ThinnedSample<ParityPoint> sample, bool parity = true)
    {
        string points = sample.IsComplete ? $"All {Summary.Numbers.Count(sample.Seen)} {what}."
            : $"{Summary.Numbers.Count(sample.Count)} of {Summary.Numbers.Count(sample.Seen)} {what}, chosen by a hash of their number; "
                + "the errors are those of all.";
        return parity ? points + " The dashed line is perfect agreement." : points;
    }
}
