using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;

namespace ChemScale.Engine.Atoms.Formats.Hdf5;

/// <summary>
/// Frames in HDF5, at any depth: a group for each molecule with <c>coordinates</c> (frames, atoms, 3), its elements as
/// <c>atomic_numbers</c> or <c>species</c>, and labels. In the layout of ANI-1x these are <c>LEVEL.energy</c> and <c>LEVEL.forces</c>
/// (the one level that has both is taken); in that of ANI-1 and COMP6 (s66x8), <c>energies</c> and <c>forces</c>. COMP6's forces are
/// gradients, which <see cref="FrameReadOptions.ForcesAreGradients"/> has to say: the file does not.
/// </summary>
internal static class Hdf5Frames
{
    /// <inheritdoc cref="FrameFiles.Read"/>
    public static IEnumerable<Frame> Read(string path, FrameReadOptions? options = null)
    {
        options ??= new();
        using Hdf5File file = Hdf5File.Open(path, options.Stop);
        int molecules = 0;
        foreach (Hdf5Group group in file.Root.WithDescendants())
        {
            options.Stop.ThrowIfCancellationRequested();
            if (!group.Has("coordinates")) continue;
            molecules++;
            foreach (Frame frame in Molecule(group, options, path).Cut()) yield return frame;
        }
        if (molecules == 0) throw new InputException(path, "no group with coordinates", "the layout of ANI-1x or of COMP6");
    }

    private static FrameArrays Molecule(Hdf5Group group, FrameReadOptions options, string path)
    {
        double[] positions = group.Numbers("coordinates", out long[] shape);
        if (shape is not [var frames, var atoms, 3]) throw new InputException(group.At("coordinates"), Text(shape), "(frames, atoms, 3)");
        string? level = Level(group, options.EnergyKey);
        string? energy = LabelNames.Choose(options.EnergyKey, level is null ? ["energies", "energy"] : [$"{level}.energy"], group.Has);
        string? forces = LabelNames.Choose(options.ForcesKey, level is null ? ["forces"] : [$"{level}.forces"], group.Has);
        if (energy is null) throw new InputException(group.Place, options.EnergyKey is { } key ? $"no '{key}'" : "no energies", $"one; it has {group.Names}");
        if (forces is null && options.ForcesKey is not null)
        {
            throw new InputException(group.Place, $"no '{options.ForcesKey}'", $"one; it has {group.Names}");
        }
        LabelKeys keys = new(energy, forces, null);
        LabelUnits units = Units(group, energy, forces, path, options);
        return new FrameArrays
        {
            Place = group.Place,
            AtomicNumbers = Numbers(group, atoms),
            Positions = positions,
            Frames = checked((int)frames),
            Energies = Label(group, energy, frames),
            Forces = forces is null ? null : Label(group, forces, 3 * frames * atoms),
            Keys = keys,
            OtherLabels = LabelNames.Others(group.Members, keys, options),
            Units = units,
        };
    }

    /// <summary>Those that the data sets' attributes declare, else the options'.</summary>
    private static LabelUnits Units(Hdf5Group group, string energy, string? forces, string path, FrameReadOptions options)
    {
        EnergyUnit? ofEnergy = group.Unit(energy) is { } e ? EnergyUnit.Parse(e, group.At(energy)) : null;
        LengthUnit? ofLength = group.Unit("coordinates") is { } r ? LengthUnit.Parse(r, group.At("coordinates")) : null;
        LabelUnits units = options.Units(path, ofEnergy, ofLength);
        return forces is not null && group.Unit(forces) is { } f ? units with { DeclaredForce = PressureUnit.Force(f, group.At(forces)) } : units;
    }

    /// <summary>The level of theory to take; null in a layout without levels.</summary>
    private static string? Level(Hdf5Group group, string? asked)
    {
        const string Energy = ".energy";
        if (asked is not null) return asked.EndsWith(Energy, StringComparison.Ordinal) ? asked[..^Energy.Length] : null;
        string[] names = [.. group.Members.Where(name => name.EndsWith(Energy, StringComparison.Ordinal))];
        string[] levels = [.. names.Select(name => name[..^Energy.Length])];
        string[] complete = [.. levels.Where(level => group.Has($"{level}.forces"))];
        if (complete.Length > 1)
        {
            throw new InputException(
                group.Place, $"levels {string.Join(", ", complete)}", "one", $"name an energy, such as {complete[0]}{Energy}");
        }
        return complete.FirstOrDefault() ?? levels.FirstOrDefault();
    }

    private static long[] Numbers(Hdf5Group group, long atoms)
    {
        string name = group.Has("atomic_numbers") ? "atomic_numbers" : "species";
        if (!group.Has(name)) throw new InputException(group.Place, "no atomic_numbers and no species", $"one; it has {group.Names}");
        long[] numbers = group.IsText(name)
            ? [.. group.Texts(name).Select(symbol => (long)Elements.Number(symbol.Trim('\0', ' '), group.At(name)))]
            : [.. group.Numbers(name, out _).Select(number => (long)number)];
        return numbers.Length == atoms ? numbers
            : throw new InputException(group.At(name), $"{numbers.Length} elements", $"{atoms}, as coordinates have");
    }

    private static double[] Label(Hdf5Group group, string name, long count)
    {
        double[] values = group.Numbers(name, out long[] shape);
        return values.Length == count ? values
            : throw new InputException(group.At(name), Text(shape), $"{count} numbers, as coordinates have frames");
    }

    private static string Text(long[] shape) => $"shape ({string.Join(", ", shape)})";
}
