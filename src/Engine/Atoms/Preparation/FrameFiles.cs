using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Formats.AseDatabase;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Atoms.Formats.Hdf5;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Atoms.Preparation;

/// <summary>Reads frames of any known format, by the file's extension.</summary>
public static class FrameFiles
{
    /// <summary>Angstrom: a tenth of a metre.</summary>
    private const double Farthest = 1e9;

    /// <summary>eV, eV/Angstrom: no calculation gives more, and sums of squares would have no value.</summary>
    private const double GreatestLabel = 1e30;

    /// <summary>The frames, one at a time, in eV and Angstrom.</summary>
    /// <exception cref="InputException">File and line, row or key, and what is wrong there.</exception>
    public static IEnumerable<Frame> Read(string path, FrameReadOptions? options = null)
    {
        if (!File.Exists(path)) throw new InputException(path, "no such file", "frames");
        options ??= new();
        const string Expected = "frames of atoms";
        return Reading.Guard(path, Expected, Reading.Guard(path, Expected, () => Formats(path, options))).Select(Checked);
    }

    private static IEnumerable<Frame> Formats(string path, FrameReadOptions options) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".xyz" or ".extxyz" => ExtXyzReader.Read(path, options),
        ".npz" => NpzFrames.Read(path, options),
        ".h5" or ".hdf5" => Hdf5Frames.Read(path, options),
        ".db" => AseDatabaseReader.Read(path, options),
        string other => throw new InputException(path, $"extension '{other}'", ".xyz, .extxyz, .npz, .h5, .hdf5 or .db"),
    };

    /// <summary>What no format may give, whatever is done with the frame.</summary>
    private static Frame Checked(Frame frame)
    {
        if (!double.IsFinite(frame.Charge)) throw new InputException(frame.Place, $"a charge of {frame.Charge}", "a finite number");
        if (!double.IsFinite(frame.Spin)) throw new InputException(frame.Place, $"a spin of {frame.Spin}", "a finite number");
        if (frame.Cell?.All(double.IsFinite) == false) throw new InputException(frame.Place, "a cell of numbers that are not finite", "nine finite numbers");
        // Farther out the distance between two atoms has lost its digits.
        int far = Array.FindIndex(frame.Positions, x => Math.Abs(x) > Farthest);
        if (far >= 0) throw new InputException(frame.Place, $"atom {far / 3} at {frame.Positions[far]:G4} Angstrom", $"positions within {Farthest:G1} Angstrom");
        NeighborBudget.Check(frame);
        bool beyond = (frame.Energy is { } e && IsBeyond(e)) || frame.Forces?.Any(IsBeyond) == true || frame.Stress?.Any(IsBeyond) == true;
        return !beyond ? frame : frame with
        {
            Energy = frame.Energy is { } energy ? Bounded(energy) : null,
            Forces = frame.Forces is { } forces ? [.. forces.Select(Bounded)] : null,
            Stress = frame.Stress is { } stress ? [.. stress.Select(Bounded)] : null,
        };
    }

    private static bool IsBeyond(double label) => Math.Abs(label) > GreatestLabel;

    /// <summary>As one that is infinite: refused, or as good as missing.</summary>
    private static double Bounded(double label) => IsBeyond(label) ? double.PositiveInfinity : label;
}
