using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChemScale.Engine.Atoms.Units;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>How well a trained force field does on labelled frames; every error is the prediction less the reference.</summary>
public sealed record EvaluationReport
{
    /// <summary>Run directory of the model.</summary>
    public required string Run { get; init; }

    /// <summary>Where the frames came from.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>float32 or float64: what the model computed in. Sums are in float64.</summary>
    public required string Precision { get; init; }

    /// <summary>Under which names the labels stood.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    public required long Frames { get; init; }

    public required long Atoms { get; init; }

    /// <summary>Frames left out of the errors of energy.</summary>
    public required long FramesWithoutEnergy { get; init; }

    /// <summary>Frames left out of the errors of forces.</summary>
    public required long FramesWithoutForces { get; init; }

    /// <summary>Absent components of forces in the other frames.</summary>
    public required long MissingForceComponents { get; init; }

    public required long PeriodicFrames { get; init; }

    /// <summary>Periodic frames left out of the errors of stress.</summary>
    public required long PeriodicFramesWithoutStress { get; init; }

    /// <summary>Null where no frame has one; so are the others.</summary>
    public EnergyErrors? Energy { get; init; }

    public ForceErrors? Forces { get; init; }

    public StressErrors? Stress { get; init; }

    /// <summary>eV/A, by symbol.</summary>
    public required IReadOnlyDictionary<string, ErrorFigures> ForcesByElement { get; init; }

    /// <summary>Empty where frames have no kinds.</summary>
    public required IReadOnlyList<ConfigTypeErrors> ByConfigType { get; init; }

    /// <summary>Null where not asked for.</summary>
    public EnergyShift? Shift { get; init; }

    /// <summary>The page with tables and parity plots.</summary>
    public required string Page { get; init; }
}

/// <summary>Errors of the frames' total energies.</summary>
/// <param name="ElectronVolt">eV</param>
/// <param name="MilliElectronVoltPerAtom">Each divided by the atoms of its frame, meV.</param>
/// <param name="KilocaloriePerMole">kcal/mol</param>
public sealed record EnergyErrors(ErrorFigures ElectronVolt, ErrorFigures MilliElectronVoltPerAtom, ErrorFigures KilocaloriePerMole)
{
    /// <param name="total">eV; null: nothing to say.</param>
    /// <param name="perAtom">eV, of the same frames.</param>
    internal static EnergyErrors? Of(ErrorSums total, ErrorSums perAtom) => total.Figures is not { } figures ? null
        : new EnergyErrors(figures, perAtom.Figures!.Times(1000), figures.Times(1 / EnergyUnit.KilocaloriePerMole.ElectronVolts));
}

/// <summary>Errors of the components of forces.</summary>
/// <param name="ElectronVoltPerAngstrom">eV/A</param>
/// <param name="KilocaloriePerMolePerAngstrom">kcal/mol/A</param>
public sealed record ForceErrors(ErrorFigures ElectronVoltPerAngstrom, ErrorFigures KilocaloriePerMolePerAngstrom)
{
    /// <param name="sums">eV/A; null: nothing to say.</param>
    internal static ForceErrors? Of(ErrorSums sums) => sums.Figures is not { } figures ? null
        : new ForceErrors(figures, figures.Times(1 / EnergyUnit.KilocaloriePerMole.ElectronVolts));
}

/// <summary>Errors of the nine components of stress.</summary>
/// <param name="ElectronVoltPerCubicAngstrom">eV/A^3</param>
/// <param name="Gigapascal">GPa</param>
public sealed record StressErrors(ErrorFigures ElectronVoltPerCubicAngstrom, ErrorFigures Gigapascal)
{
    /// <param name="sums">eV/A^3; null: nothing to say.</param>
    internal static StressErrors? Of(ErrorSums sums) => sums.Figures is not { } figures ? null
        : new StressErrors(figures, figures.Times(1 / PressureUnit.Gigapascal.ElectronVoltsPerCubicAngstrom));
}

/// <summary>Errors of the frames of one kind.</summary>
/// <param name="Name">As the frames call it.</param>
/// <param name="Frames">With or without labels.</param>
/// <param name="Energy">Null where none has an energy.</param>
/// <param name="Forces">Null where none has forces.</param>
public sealed record ConfigTypeErrors(string Name, long Frames, EnergyErrors? Energy, ForceErrors? Forces);

/// <summary>Errors of predictions, each the prediction less its reference, in one unit.</summary>
/// <param name="Count">How many.</param>
/// <param name="Mae">Mean of their absolute values.</param>
/// <param name="Rmse">Root of the mean of their squares.</param>
/// <param name="Bias">Their mean.</param>
/// <param name="Largest">The largest absolute value.</param>
public sealed record ErrorFigures(long Count, double Mae, double Rmse, double Bias, double Largest)
{
    /// <summary>The same errors in a unit of which one of this unit has <paramref name="factor"/>.</summary>
    public ErrorFigures Times(double factor) => new(Count, Mae * factor, Rmse * factor, Bias * factor, Largest * factor);
}

/// <summary>errors.json: camelCase, indented, infinities by name.</summary>
internal static class EvaluationJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Write(EvaluationReport report) => JsonSerializer.Serialize(report, Options) + "\n";
}

/// <summary>Takes errors one at a time and gives their figures; keeps sums alone. All in float64.</summary>
internal sealed class ErrorSums
{
    private long count;
    private double sum;
    private double absolute;
    private double squares;
    private double largest;

    /// <param name="error">The prediction less its reference.</param>
    public void Add(double error)
    {
        count++;
        sum += error;
        absolute += Math.Abs(error);
        squares += error * error;
        largest = Math.Max(largest, Math.Abs(error));
    }

    /// <summary>Null where nothing was added.</summary>
    public ErrorFigures? Figures =>
        count == 0 ? null : new ErrorFigures(count, absolute / count, Math.Sqrt(squares / count), sum / count, largest);
}

/// <summary>
/// What is left of the errors of energy when a constant is taken from every prediction: reference sets often differ by one. Only
/// meaningful for frames of one composition.
/// </summary>
/// <param name="Offset">eV: the median of prediction less reference, which makes the mean absolute error least.</param>
/// <param name="Frames">How many frames this was taken from.</param>
/// <param name="Exact">These were all of them; otherwise a sample.</param>
/// <param name="Energy">Of these frames, after the offset is taken away.</param>
public sealed record EnergyShift(double Offset, long Frames, bool Exact, EnergyErrors Energy)
{
    /// <param name="sample">Error in eV and atoms of each frame; null where there is none.</param>
    internal static EnergyShift? Of(ThinnedSample<(double Error, int Atoms)> sample)
    {
        if (sample.Count == 0) return null;
        double[] sorted = [.. sample.Items.Select(item => item.Error).Order()];
        double offset = (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        ErrorSums total = new(), perAtom = new();
        foreach ((double error, int atoms) in sample.Items)
        {
            total.Add(error - offset);
            perAtom.Add((error - offset) / atoms);
        }
        return new EnergyShift(offset, sample.Count, sample.IsComplete, EnergyErrors.Of(total, perAtom)!);
    }
}
