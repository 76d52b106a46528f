using System.Globalization;
using ChemScale.Engine.Atoms.Units;

namespace ChemScale.Engine.Atoms.Formats.ExtXyz;

/// <summary>
/// Extended xyz in the dialect that ASE reads and writes; plain xyz too. Units are eV and Angstrom, as ASE has it, unless options or the
/// frame's own line (<c>energy-unit</c>, <c>force-unit</c>, <c>stress-unit</c>, <c>virial-unit</c>, <c>length-unit</c>) say otherwise. Of
/// labels present under several names the reference calculation's is taken (<c>REF_energy</c> before <c>energy</c>); a virial is turned
/// into a stress.
/// </summary>
public static class ExtXyzReader
{
    /// <summary>The frames of a file, one at a time.</summary>
    /// <exception cref="InputException">While reading: file and line, and what is wrong.</exception>
    public static IEnumerable<Frame> Read(string path, FrameReadOptions? options = null)
    {
        using StreamReader reader = OpenText(path);
        foreach (Frame frame in Read(reader, path, options ?? new())) yield return frame;
    }

    internal static IEnumerable<Frame> Read(TextReader reader, string path, FrameReadOptions options)
    {
        FrameBlock block = new(reader, path, options);
        while (block.Next() is { } frame) yield return frame;
    }

    private static StreamReader OpenText(string path)
    {
        try
        {
            return new StreamReader(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, "cannot be read", "a text file", e.Message);
        }
    }
}

/// <summary>Reads one frame after another and knows the line it is at.</summary>
internal sealed class FrameBlock(TextReader reader, string path, FrameReadOptions options)
{
    // Of one frame, between looks at whether to go on.
    private const int RowsHeard = 4096;

    private readonly LabelUnits units = options.Units(path, options.Energy ?? EnergyUnit.ElectronVolt);
    private LabelKeys? keys;
    private int line;

    /// <summary>Null behind the last frame.</summary>
    public Frame? Next()
    {
        string? first = ReadLine();
        while (first is not null && string.IsNullOrWhiteSpace(first)) first = ReadLine();
        if (first is null) return null;
        int start = this.line;
        if (!int.TryParse(first.AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int atoms) || atoms < 1)
        {
            throw new InputException(
                Place(start),
                $"'{Shortened(first)}'",
                "the number of atoms that starts a frame",
                "the frame before may hold more atoms than it says");
        }
        string comment = ReadLine() ?? throw new InputException(path, $"ends behind line {start}", $"a frame of {atoms} atoms");
        FrameInfo info = new(Place(this.line), comment);
        string? properties = info.Spelling("Properties");
        AtomTable table = new(Column.Parse(properties is null ? null : info.Text(properties), Place(this.line)), atoms, strict: properties is not null);
        for (int i = 0; i < atoms; i++)
        {
            if (i % RowsHeard == 0) options.Stop.ThrowIfCancellationRequested();
            string line = ReadLine()
                ?? throw new InputException(path, $"ends behind {i} atoms", $"the {atoms} of the frame at line {start}");
            table.Add(line, Place(this.line), start);
        }
        return Assemble(info, table, Place(start));
    }

    private Frame Assemble(FrameInfo info, AtomTable table, string place)
    {
        string? energy = Choose(options.EnergyKey, LabelNames.Energy, info.Has, place);
        string? forces = Choose(options.ForcesKey, LabelNames.Forces, name => table.Has(name, 3), place);
        string? stress = Choose(options.StressKey, LabelNames.Stress, info.Has, place);
        LabelUnits units = Units(info, new LabelKeys(energy, forces, stress), place);
        double[]? cell = info.Spelling("Lattice") is { } lattice ? Scaled(Nine(info, lattice), units.LengthFactor) : null;
        bool[] periodic = info.Spelling("pbc") is { } pbc ? info.Flags(pbc)! : [cell is not null, cell is not null, cell is not null];
        if (cell is null && periodic.Contains(true))
        {
            throw new InputException($"{place}: pbc", "a periodic frame without Lattice", "nine numbers");
        }
        if (keys is null || (keys.Energy, keys.Forces, keys.Stress) != (energy, forces, stress))
        {
            keys = new LabelKeys(energy, forces, stress);
        }
        Frame frame = new()
        {
            AtomicNumbers = table.AtomicNumbers(place),
            Positions = Scaled(table.Reals("pos", "positions"), units.LengthFactor)
                ?? throw new InputException($"{place}: Properties", "no pos", "pos:R:3"),
            Cell = cell,
            Periodic = periodic,
            Energy = energy is null ? null : info.Number(energy) * units.EnergyFactor,
            Forces = forces is null ? null : Scaled(table.Reals(forces), units.ForceFactor),
            Momenta = table.Reals("momenta"),
            TimeFs = info.Text("time_fs") is { } time && FrameInfo.TryNumber(time, out double fs) ? fs : null,
            Fixed = table.Fixed,
            UnknownMotion = table.Vectors.FirstOrDefault(name => name is "velocities" or "velocity" or "velo" or "vel") ?? table.UnknownMask,
            Charge = Charge(info, place),
            Spin = LabelNames.Spin.Select(info.NumberSpelt).FirstOrDefault(value => value is not null) ?? 0,
            ConfigType = info.Spelling("config_type") is { } type ? info.Text(type) : null,
            Keys = keys,
            OtherLabels = Others(info, table, keys),
            Place = place,
        };
        return stress is null ? frame : frame with { Stress = Stress(info, stress, frame, units) };
    }

    private static double Charge(FrameInfo info, string place)
    {
        double?[] stated = [.. LabelNames.Charge.Select(info.NumberSpelt).Where(value => value is not null).Distinct()];
        return stated.Length > 1 ? throw new InputException(place, $"charges {string.Join(" and ", stated)}", "one, or the same under each name") : stated.FirstOrDefault() ?? 0;
    }

    // ASE writes both, and they are the same calculation's.
    private static bool IsUsual(string name) => name is "free_energy" or "energy";

    // Who names one has chosen.
    private string[] Others(FrameInfo info, AtomTable table, LabelKeys keys)
    {
        string[] energies = options.EnergyKey is not null ? [] : [.. info.NumbersNamed("energy").Where(name => name != keys.Energy && !(IsUsual(name) && keys.Energy is { } chosen && IsUsual(chosen)))];
        return options.ForcesKey is not null ? energies : [.. energies, .. table.Vectors.Where(name => name.Contains("force", StringComparison.OrdinalIgnoreCase) && name != keys.Forces)];
    }

    /// <summary>Those of the file, unless the frame declares its own.</summary>
    private LabelUnits Units(FrameInfo info, LabelKeys keys, string place)
    {
        LabelUnits declared = units;
        EnergyUnit? energy = null;
        LengthUnit? length = null;
        foreach ((string key, string unit) in info.Texts)
        {
            // A key alone, such as a word of prose, declares nothing.
            if (unit == "T") continue;
            string at = info.At(key);
            switch (DeclaredUnit.Of(key, keys))
            {
                case Quantity.Energy:
                    energy = DeclaredUnit.Once(energy, EnergyUnit.Parse(unit, at), at);
                    break;
                case Quantity.Length:
                    length = DeclaredUnit.Once(length, LengthUnit.Parse(unit, at), at);
                    break;
                case Quantity.Force:
                    declared = declared with { DeclaredForce = PressureUnit.Force(unit, at) };
                    if (options.Energy is not null && Math.Abs(declared.ForceFactor / options.Units(path).ForceFactor - 1) > 1e-6)
                        throw new InputException(at, $"'{unit}'", $"{options.Energy} over a length, as the options say");
                    break;
                case Quantity.Stress:
                    declared = declared with { DeclaredStress = PressureUnit.Stress(unit, at) };
                    break;
                case Quantity.Virial:
                    declared = declared with { DeclaredVirial = EnergyUnit.Parse(unit, at).ElectronVolts };
                    break;
            }
        }
        if (energy is null && length is null) return declared;
        LabelUnits stated = options.Units(place, energy ?? options.Energy ?? EnergyUnit.ElectronVolt, length);
        return declared with { Energy = stated.Energy, Length = stated.Length };
    }

    private static double[] Stress(FrameInfo info, string key, Frame frame, LabelUnits units)
    {
        double[] matrix = StressTensor.Matrix(info.Numbers(key)!) ?? throw info.Wrong(key, info.Text(key)!, "6 or 9 numbers");
        if (!LabelNames.IsVirial(key)) return Scaled(matrix, units.StressFactor)!;
        if (frame.Volume == 0) throw info.Wrong(key, info.Text(key)!, "a cell with a volume beside a virial");
        return StressTensor.FromVirial(Scaled(matrix, units.VirialFactor)!, frame.Volume);
    }

    private static double[]? Nine(FrameInfo info, string key)
    {
        double[]? numbers = info.Numbers(key);
        return numbers is null or { Length: 9 } ? numbers : throw info.Wrong(key, info.Text(key)!, "nine numbers");
    }

    private static string? Choose(string? asked, IReadOnlyList<string> usual, Func<string, bool> has, string place)
    {
        string? chosen = LabelNames.Choose(asked, usual, has);
        return chosen is not null || asked is null ? chosen
            : throw new InputException(place, $"no '{asked}'", "the label that was asked for");
    }

    private static double[]? Scaled(double[]? values, double factor)
    {
        if (factor != 1)
            for (int i = 0; i < values?.Length; i++) values[i] *= factor;
        return values;
    }

    private static string Shortened(string text) => text.Length > 40 ? $"{text[..40]}..." : text;

    private string Place(int line) => $"{path}:{line}";

    private string? ReadLine()
    {
        string? line = reader.ReadLine();
        if (line is not null) this.line++;
        return line;
    }
}
