using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ChemScale.Engine.Atoms.Store;

/// <summary>What a frame has once, as it stands on disk: 176 bytes, little endian. NaN where something is absent.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal struct FrameRecord
{
    private const int ForcesFlag = 8;

    public double Energy;
    public double Charge;
    public double Spin;
    public NineNumbers Cell;
    public NineNumbers Stress;

    /// <summary>Bits 0 to 2: which directions repeat; bit 3: forces are known.</summary>
    public int Flags;

    /// <summary>Index into the manifest's list; -1 for none.</summary>
    public int ConfigType;

    public readonly bool HasForces => (Flags & ForcesFlag) != 0;

    public static FrameRecord Of(Frame frame, int configType) => new()
    {
        Energy = frame.HasEnergy ? frame.Energy!.Value : double.NaN,
        Charge = frame.Charge,
        Spin = frame.Spin,
        Cell = NineNumbers.Of(frame.Cell),
        Stress = NineNumbers.Of(frame.HasStress ? frame.Stress : null),
        Flags = (frame.Periodic[0] ? 1 : 0) | (frame.Periodic[1] ? 2 : 0) | (frame.Periodic[2] ? 4 : 0)
            | (frame.HasForces ? ForcesFlag : 0),
        ConfigType = configType,
    };

    /// <summary>What no frame can have, in words; null where nothing is wrong.</summary>
    public readonly string? Fault(int configTypes)
    {
        if (double.IsInfinity(Energy)) return $"an energy of {Energy}";
        if (double.IsInfinity(Charge)) return $"a charge of {Charge}";
        if (double.IsInfinity(Spin)) return $"a spin of {Spin}";
        if (Cell.Count(double.IsFinite) is not (0 or 9)) return "part of a cell";
        if (Cell.Count(double.IsInfinity) + Stress.Count(double.IsInfinity) > 0) return "an infinite cell or stress";
        if ((Flags & ~0xF) != 0) return $"flags {Flags:x}";
        return ConfigType >= -1 && ConfigType < configTypes ? null : $"configuration type {ConfigType} of {configTypes}";
    }

    /// <param name="elements">(atoms)</param>
    /// <param name="positions">(atoms, 3)</param>
    /// <param name="forces">(atoms, 3) whatever is there where they are not known.</param>
    /// <param name="configTypes">The manifest's list.</param>
    /// <param name="place">Where it is.</param>
    public readonly Frame ToFrame(
        ReadOnlySpan<byte> elements,
        ReadOnlySpan<double> positions,
        ReadOnlySpan<double> forces,
        IReadOnlyList<string> configTypes,
        string place)
    {
        int[] numbers = new int[elements.Length];
        for (int i = 0; i < numbers.Length; i++) numbers[i] = elements[i];
        return new Frame
        {
            AtomicNumbers = numbers,
            Positions = positions.ToArray(),
            Cell = Cell.ToArray(),
            Periodic = [(Flags & 1) != 0, (Flags & 2) != 0, (Flags & 4) != 0],
            Energy = double.IsNaN(Energy) ? null : Energy,
            Forces = HasForces ? forces.ToArray() : null,
            Stress = Stress.ToArray(),
            Charge = Charge,
            Spin = Spin,
            ConfigType = (uint)ConfigType < (uint)configTypes.Count ? configTypes[ConfigType] : null,
            Place = place,
        };
    }
}

/// <summary>A (3, 3) matrix in a record on disk.</summary>
[InlineArray(9)]
internal struct NineNumbers
{
    private double first;

    public static NineNumbers Of(double[]? values)
    {
        NineNumbers result = default;
        if (values is null) ((Span<double>)result).Fill(double.NaN);
        else values.CopyTo(result);
        return result;
    }

    /// <summary>How many of them are such.</summary>
    public readonly int Count(Func<double, bool> such)
    {
        int count = 0;
        foreach (double value in this)
            if (such(value)) count++;
        return count;
    }

    public readonly double[]? ToArray()
    {
        ReadOnlySpan<double> values = this;
        return double.IsNaN(values[0]) && double.IsNaN(values[8]) ? null : values.ToArray();
    }
}
