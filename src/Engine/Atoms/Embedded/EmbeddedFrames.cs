using System.Reflection;
using System.Text;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Atoms.Embedded;

/// <summary>
/// Labelled frames that the assembly carries, so that force fields can be trained without any file: ten small molecules of H, C, N and O
/// from Langevin dynamics at 500 K, with total energies and forces of GFN2-xTB (Bannwarth, Ehlert, Grimme, J. Chem. Theory Comput. 15,
/// 1652, 2019; computed with libxtb 6.5.1). A semi-empirical method: real physics, not the accuracy of DFT. Made by make_frames.py, which
/// lies beside this file.
/// </summary>
internal static class EmbeddedFrames
{
    /// <summary>Frames of each molecule.</summary>
    public const int FramesPerMolecule = 500;

    private const string Folder = "frames/";
    private const string Extension = ".npz";

    private static readonly Assembly Here = typeof(EmbeddedFrames).Assembly;

    /// <summary>Names in alphabetical order, for example <c>acetic-acid</c>: also the frames' <see cref="Frame.ConfigType"/>.</summary>
    public static IReadOnlyList<string> Molecules { get; } =
    [
        .. Here.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
            .Select(name => name[Folder.Length..^Extension.Length]).Order(StringComparer.Ordinal),
    ];

    /// <summary>What these frames are, in one line.</summary>
    public static string Description =>
        $"GFN2-xTB (libxtb 6.5.1): {Molecules.Count} molecules x {FramesPerMolecule} frames of Langevin dynamics at 500 K, "
        + "total energies and forces; made by make_frames.py";

    /// <summary>Size of all of it, bytes.</summary>
    public static long Bytes => Molecules.Sum(molecule => Open(molecule).Length);

    /// <summary>
    /// Writes one .npz for each molecule, in eV and Angstrom, which the files state: <see cref="FrameFiles"/> and numpy read them. Each
    /// appears complete or not at all; files that are there are replaced. Their checksums lie beside them (<c>SHA256SUMS</c>).
    /// </summary>
    /// <param name="folder">Made where it does not exist.</param>
    /// <returns>The paths, in the order of <see cref="Molecules"/>.</returns>
    /// <exception cref="InputException">The folder cannot be written.</exception>
    public static IReadOnlyList<string> ExtractTo(string folder) => ExtractTo(folder, Molecules, DiskStorage.Shared);

    /// <inheritdoc cref="ExtractTo(string)"/>
    /// <param name="folder">Made where it does not exist.</param>
    /// <param name="molecules">Which of <see cref="Molecules"/>.</param>
    public static IReadOnlyList<string> ExtractTo(string folder, IEnumerable<string> molecules) => ExtractTo(folder, molecules, DiskStorage.Shared);

    internal static IReadOnlyList<string> ExtractTo(string folder, IEnumerable<string> molecules, IStorage storage)
    {
        try
        {
            storage.EnsureDirectory(folder);
            string[] paths = [.. molecules.Select(molecule => Extract(molecule, folder, storage))];
            using var sums = new PendingFile(Path.Combine(folder, FileChecksum.ListName), storage);
            foreach (string path in paths) sums.Stream.Write(Encoding.UTF8.GetBytes(FileChecksum.Line(FileChecksum.Of(path), Path.GetFileName(path))));
            sums.Complete();
            return paths;
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw new InputException(folder, "cannot be written", "a folder", e.Message);
        }
    }

    private static string Extract(string molecule, string folder, IStorage storage)
    {
        using Stream source = Open(molecule);
        string path = Path.Combine(folder, molecule + Extension);
        using var target = new PendingFile(path, storage);
        source.CopyTo(target.Stream);
        target.Complete();
        return path;
    }

    private static Stream Open(string molecule) => Here.GetManifestResourceStream($"{Folder}{molecule}{Extension}")
        ?? throw new InputException("embedded frames", $"no molecule '{molecule}'", $"one of {string.Join(", ", Molecules)}");
}
