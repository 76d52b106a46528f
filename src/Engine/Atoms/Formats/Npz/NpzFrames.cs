using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;

namespace ChemScale.Engine.Atoms.Formats.Npz;

/// <summary>
/// Frames in .npz: the keys of rMD17 (nuclear_charges, coords, energies, forces), of the older MD17 and sGDML (z, R, E, F; r_unit and
/// e_unit and config_type where they are there; of sGDML's lattice the columns are the vectors), and those of <see cref="NpzFrameWriter"/>. A
/// cell without pbc repeats in all directions, as in extended xyz.
/// </summary>
internal static class NpzFrames
{
    private static readonly string[] Energies = ["REF_energy", "energies", "E", "energy"];
    private static readonly string[] Forces = ["REF_forces", "forces", "F"];
    private static readonly string[] Stresses = ["REF_stress", "REF_virials", "REF_virial", "stress", "stresses", "virials", "virial"];

    /// <inheritdoc cref="FrameFiles.Read"/>
    public static IEnumerable<Frame> Read(string path, FrameReadOptions? options = null)
    {
        options ??= new();
        NpzArchive archive = NpzArchive.Open(path, options.Stop);
        NpyArray numbers = Required(archive, "atomic numbers", "nuclear_charges", "z", "Z", "atomic_numbers");
        NpyArray positions = Required(archive, "positions", "coords", "R", "positions", "coordinates");
        if (positions.Shape is not [var frames, var atoms, 3] || frames * atoms == 0) throw Shape(positions, "(frames, atoms, 3)");
        if (!numbers.Shape.SequenceEqual([atoms]) && !numbers.Shape.SequenceEqual([frames, atoms]))
        {
            throw Shape(numbers, $"({atoms}) or ({frames}, {atoms}), as {positions.Place} is {positions.ShapeText}");
        }
        NpyArray? energies = Label(archive, options.EnergyKey, Energies, frames);
        NpyArray? forces = Label(archive, options.ForcesKey, Forces, 3 * frames * atoms);
        NpyArray? stresses = options.StressKey is { } key ? archive[key] : archive.Find(Stresses);
        LabelKeys keys = new(Name(energies), Name(forces), Name(stresses));
        FrameArrays arrays = new()
        {
            Place = path,
            AtomicNumbers = numbers.Integers(),
            Positions = positions.Doubles(),
            Frames = checked((int)frames),
            Energies = energies?.Doubles(),
            Forces = forces?.Doubles(),
            Cells = Sized(archive.Find("cell"), 9, frames)?.Doubles() ?? Transposed(Sized(archive.Find("lattice"), 9, frames)?.Doubles()),
            Periodic = Sized(archive.Find("pbc"), 3, frames)?.Integers(),
            Stresses = stresses is null ? null : Tensors(stresses, frames),
            StressesAreVirials = stresses is not null && LabelNames.IsVirial(stresses.Name),
            Charges = Sized(archive.Find("charge", "total_charge"), 1, frames)?.Doubles(),
            Spins = Sized(archive.Find("spin", "total_spin"), 1, frames)?.Doubles(),
            ConfigTypes = Sized(archive.Find("config_type"), 1, frames)?.Texts(),
            Keys = keys,
            OtherLabels = LabelNames.Others(archive.Names, keys, options),
            Units = Units(archive, keys, path, options),
        };
        return arrays.Cut();
    }

    private static LabelUnits Units(NpzArchive archive, LabelKeys keys, string path, FrameReadOptions options)
    {
        EnergyUnit? energy = null;
        LengthUnit? length = null;
        double? force = null, stress = null, virial = null;
        foreach (string name in archive.Names.ToArray())
        {
            Quantity quantity = DeclaredUnit.Of(name, keys);
            if (quantity == Quantity.None) continue;
            NpyArray array = archive[name];
            string unit = array.Texts() is [var text] ? text : throw Shape(array, "one text");
            if (quantity == Quantity.Energy) energy = DeclaredUnit.Once(energy, EnergyUnit.Parse(unit, array.Place), array.Place);
            else if (quantity == Quantity.Length) length = DeclaredUnit.Once(length, LengthUnit.Parse(unit, array.Place), array.Place);
            else if (quantity == Quantity.Force) force = PressureUnit.Force(unit, array.Place);
            else if (quantity == Quantity.Virial) virial = EnergyUnit.Parse(unit, array.Place).ElectronVolts;
            else stress = PressureUnit.Stress(unit, array.Place);
        }
        return options.Units(path, energy, length) with { DeclaredForce = force, DeclaredStress = stress, DeclaredVirial = virial };
    }

    /// <summary>(frames, 3, 3) or, in Voigt's order, (frames, 6).</summary>
    private static double[] Tensors(NpyArray array, long frames)
    {
        double[] numbers = array.Doubles();
        if (numbers.Length != 6 * frames && numbers.Length != 9 * frames) throw Shape(array, $"({frames}, 3, 3) or ({frames}, 6)");
        int width = numbers.Length / (int)frames;
        return [.. Enumerable.Range(0, (int)frames).SelectMany(f => StressTensor.Matrix(numbers[(f * width)..((f + 1) * width)])!)];
    }

    /// <summary>(3, 3) or (frames, 3, 3): rows become columns.</summary>
    private static double[]? Transposed(double[]? cells) =>
        cells is null ? null : [.. Enumerable.Range(0, cells.Length).Select(i => cells[i / 9 * 9 + i % 3 * 3 + i % 9 / 3])];

    private static NpyArray Required(NpzArchive archive, string what, params string[] names) =>
        archive.Find(names) ?? throw new InputException(
            archive.Path, $"no {what}", $"a key {string.Join(" or ", names)}; it has {string.Join(", ", archive.Names)}");

    private static NpyArray? Label(NpzArchive archive, string? asked, string[] usual, long count)
    {
        NpyArray? array = asked is null ? archive.Find(usual) : archive[asked];
        return array is null || array.Length == count ? array : throw Shape(array, $"{count} numbers for the frames of {archive.Path}");
    }

    private static NpyArray? Sized(NpyArray? array, int width, long frames) =>
        array is null || array.Length == width || array.Length == width * frames ? array
            : throw Shape(array, $"{width} numbers, or {width} a frame");

    private static InputException Shape(NpyArray array, string expected) => new(array.Place, $"shape {array.ShapeText}", expected);

    private static string? Name(NpyArray? array) => array?.Name;
}
