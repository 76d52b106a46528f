using System.Text.Json;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Files;
using ChemScale.Engine.Simulation;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>Vibrations of a frame on a trained surface, and what follows for a gas of such molecules; written to a folder.</summary>
public sealed record VibrationReport
{
    public const string FiguresName = "vibrations.json", ModesName = "modes.extxyz";

    // Beyond this the frame is not at a minimum, and lowest modes are off.
    private const double MostForce = 0.05;

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public required string Folder { get; init; }

    /// <summary>(modes) 1/cm, ascending; negative for imaginary ones.</summary>
    public required IReadOnlyList<double> Wavenumbers { get; init; }

    /// <summary>eV, of the frame.</summary>
    public required double Energy { get; init; }

    /// <summary>eV/A, of the frame: what it lacks of a minimum.</summary>
    public required double MaximumForce { get; init; }

    /// <summary>eV/A^2: how far the Hessian was from symmetric.</summary>
    public required double Asymmetry { get; init; }

    /// <summary>(3 atoms, 3 atoms) eV/A^2, of the atoms that moved.</summary>
    public required IReadOnlyList<double> Hessian { get; init; }

    /// <summary>Null where not asked for.</summary>
    public IdealGasThermochemistry? Gas { get; init; }

    /// <summary>Why it may mean nothing.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>What to find.</summary>
    public sealed record Request
    {
        /// <summary>A</summary>
        public double Step { get; init; } = Vibrations.DefaultStep;

        /// <summary>Whether the thermodynamics of a gas are wanted too.</summary>
        public bool Gas { get; init; }

        /// <summary>K</summary>
        public double Temperature { get; init; } = 298.15;

        /// <summary>Pa</summary>
        public double Pressure { get; init; } = 101325;

        /// <summary>See <see cref="IdealGasThermochemistry"/>.</summary>
        public int SymmetryNumber { get; init; } = 1;

        public int UnpairedElectrons { get; init; }
    }

    /// <summary>Writes vibrations.json, and modes.extxyz: for each mode the frame with how its atoms move.</summary>
    /// <param name="trained">Surface and frame.</param>
    /// <param name="folder">Made where it is not there.</param>
    /// <param name="request">What to find.</param>
    /// <param name="stop">Nothing is written then.</param>
    /// <exception cref="InputException">What is wrong with frame, request or folder.</exception>
    public static VibrationReport Write(TrainedPotential trained, string folder, Request request, CancellationToken stop = default)
    {
        Frame frame = trained.Frame;
        Vibrations v = Vibrations.Of(trained.Potential, frame, request.Step, stop);
        IdealGasThermochemistry? gas = !request.Gas ? null
            : IdealGasThermochemistry.Of(v, frame, request.Temperature, request.Pressure, request.SymmetryNumber, request.UnpairedElectrons);
        List<string> warnings = [.. trained.Potential.Doubts(frame)];
        if (v.MaximumForce > MostForce)
            warnings.Add(FormattableString.Invariant($"a force of {v.MaximumForce:G3} eV/A on the frame: relax it first, or the modes are those of no minimum"));
        if (gas?.ImaginaryModes > 0)
            warnings.Add($"imaginary modes, {gas.ImaginaryModes} of them, left out of the thermodynamics: the frame is no minimum");
        var report = new VibrationReport
        {
            Folder = folder,
            Wavenumbers = v.Wavenumbers,
            Energy = v.Energy,
            MaximumForce = v.MaximumForce,
            Asymmetry = v.Asymmetry,
            Hessian = v.Hessian,
            Gas = gas,
            Warnings = warnings,
        };
        using (PendingFile modes = PendingFile.ForUser(Path.Combine(folder, ModesName)))
        {
            var writer = new ExtXyzWriter(modes.Writer);
            int n = 3 * v.Atoms.Count;
            for (int m = 0; m < n; m++)
            {
                double[] moves = new double[frame.Positions.Length];
                for (int k = 0; k < n; k++) moves[3 * v.Atoms[k / 3] + k % 3] = v.Modes[m * n + k];
                writer.Write(frame with { Energy = null, Forces = null, Stress = null }, new Dictionary<string, double> { ["wavenumber"] = v.Wavenumbers[m] },
                    new Dictionary<string, double[]> { ["mode"] = moves });
            }
            modes.Complete();
        }
        using (PendingFile figures = PendingFile.ForUser(Path.Combine(folder, FiguresName)))
        {
            figures.Writer.Write(JsonSerializer.Serialize(report, Json) + "\n");
            figures.Complete();
        }
        return report;
    }
}
