using System.Runtime.CompilerServices;

namespace ChemScale.Engine.Atoms.Store;

/// <summary>A (3, 3) matrix in a record on disk.</summary>
[InlineArray(9)]
internal struct NineNumbers
{
    private double _first;

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
