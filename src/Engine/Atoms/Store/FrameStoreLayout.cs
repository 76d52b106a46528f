using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Store;

/// <summary>Names in a frame store's folder; all numbers little endian.</summary>
internal static class FrameStoreLayout
{
    public const string Train = "train";

    public const string Validation = "validation";

    /// <summary>A <see cref="FrameRecord"/> for each frame.</summary>
    public static string Records(string split) => $"{split}.records";

    /// <summary>Where each frame's atoms start, and behind them the number of atoms: frames + 1 values of 64 bits.</summary>
    public static string Offsets(string split) => $"{split}.offsets";

    /// <summary>Atomic numbers, a byte each.</summary>
    public static string Elements(string split) => $"{split}.elements";

    /// <summary>(atoms, 3) Angstrom, f64.</summary>
    public static string Positions(string split) => $"{split}.positions";

    /// <summary>(atoms, 3) eV/Angstrom, f64; NaN where they are not known.</summary>
    public static string Forces(string split) => $"{split}.forces";

    public static IReadOnlyList<string> Data { get; } = [.. Of(Train), .. Of(Validation)];

    public static StoreNames Names { get; } = new("frame store", FrameStoreManifest.FileName, Data, Remedy.PrepareFrames);

    private static string[] Of(string split) => [Records(split), Offsets(split), Elements(split), Positions(split), Forces(split)];
}
