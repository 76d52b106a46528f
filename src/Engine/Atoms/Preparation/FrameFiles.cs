using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Formats.AseDatabase;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Atoms.Formats.Hdf5;
using ChemScale.Engine.Atoms.Formats.Npz;

namespace ChemScale.Engine.Atoms.Preparation;

/// <summary>Reads frames of any known format, by the file's extension.</summary>
public static class FrameFiles
{
    /// <summary>The frames, one at a time, in eV and Angstrom.</summary>
    /// <exception cref="InputException">File and line, row or key, and what is wrong there.</exception>
    public static IEnumerable<Frame> Read(string path, FrameReadOptions? options = null)
    {
        if (!File.Exists(path)) throw new InputException(path, "no such file", "frames");
        options ??= new();
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".xyz" or ".extxyz" => ExtXyzReader.Read(path, options),
            ".npz" => NpzFrames.Read(path, options),
            ".h5" or ".hdf5" => Hdf5Frames.Read(path, options),
            ".db" => AseDatabaseReader.Read(path, options),
            string other => throw new InputException(path, $"extension '{other}'", ".xyz, .extxyz, .npz, .h5, .hdf5 or .db"),
        };
    }
}
