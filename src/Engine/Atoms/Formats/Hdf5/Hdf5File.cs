using PureHDF;
using PureHDF.VOL.Native;

namespace ChemScale.Engine.Atoms.Formats.Hdf5;

/// <summary>An HDF5 file, whose faults are the user's.</summary>
internal sealed class Hdf5File : IDisposable
{
    private readonly NativeFile _file;

    private Hdf5File(string path, NativeFile file)
    {
        _file = file;
        Root = new Hdf5Group(path, "", file);
    }

    public Hdf5Group Root { get; }

    /// <exception cref="InputException">Missing, truncated, or no HDF5 file.</exception>
    public static Hdf5File Open(string path) => Guard(path, () => new Hdf5File(path, H5File.OpenRead(path)));

    public void Dispose() => _file.Dispose();

    /// <summary>The library throws whatever its parser meets in a damaged file, plain <see cref="Exception"/> included.</summary>
    public static T Guard<T>(string place, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not InputException and not OutOfMemoryException)
        {
            throw new InputException(place, "truncated or no HDF5 file", "a complete one", e.Message);
        }
    }
}
