using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ChemScale.Engine.Files;

/// <summary>
/// A file that this process alone has, to be read by the path of its descriptor: no name that another user could give to something else.
/// Linux.
/// </summary>
internal sealed partial class PrivateFile : IDisposable
{
    private readonly FileStream stream;

    private PrivateFile(FileStream stream, ReadOnlySpan<byte> content)
    {
        this.stream = stream;
        SafeFileHandle handle = stream.SafeFileHandle;
        Path = $"/proc/self/fd/{handle.DangerousGetHandle()}";
        GC.KeepAlive(handle);
        try
        {
            stream.Write(content);
            stream.Flush();
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>As long as it is not disposed of.</summary>
    public string Path { get; }

    /// <summary>In memory.</summary>
    /// <param name="name">For who looks at the process.</param>
    /// <param name="content">Of the file.</param>
    /// <exception cref="IOException">The system does not let.</exception>
    public static PrivateFile InMemory(string name, ReadOnlySpan<byte> content)
    {
        const int CloseOnExec = 1;
        int descriptor = MemoryFile(name, CloseOnExec);
        if (descriptor < 0) throw new IOException($"no file in memory: {Marshal.GetLastPInvokeErrorMessage()}");
        return new PrivateFile(new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.ReadWrite, 0), content);
    }

    /// <summary>In a new folder of a name that nobody knows, which is gone before anybody could.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be.</exception>
    public static PrivateFile Below(string folder, ReadOnlySpan<byte> content)
    {
        string own = System.IO.Path.Combine(folder, $"chemscale-{Guid.NewGuid():N}"), path = System.IO.Path.Combine(own, "file");
        if (OperatingSystem.IsWindows()) throw new IOException("only where files have descriptors");
        Directory.CreateDirectory(own, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        try
        {
            return new PrivateFile(new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.Read | FileShare.Delete,
                BufferSize = 0,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }), content);
        }
        finally
        {
            Directory.Delete(own, recursive: true);
        }
    }

    public void Dispose() => stream.Dispose();

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int MemoryFile(string name, uint flags);
}
