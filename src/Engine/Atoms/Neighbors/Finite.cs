namespace ChemScale.Engine.Atoms.Neighbors;

internal static class Finite
{
    /// <summary>Where the first value stands that is NaN or infinite; -1 if none.</summary>
    public static int IndexOfNonFinite(this ReadOnlySpan<double> values)
    {
        for (int i = 0; i < values.Length; i++)
            if (!double.IsFinite(values[i])) return i;
        return -1;
    }
}
