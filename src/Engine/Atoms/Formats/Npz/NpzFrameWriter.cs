using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Atoms.Formats.Npz;

/// <summary>
/// Writes frames as .npz with the keys of rMD17 in eV and Angstrom, which it states (e_unit, r_unit). Frames of one composition share
/// nuclear_charges (atoms); others have (frames, atoms), filled up with 0.
/// </summary>
public static class NpzFrameWriter
{
    /// <exception cref="InputException">No frames, or the file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<Frame> frames)
    {
        if (frames.Count == 0) throw new InputException(path, "no frames to write", "at least one");
        long count = frames.Count;
        int atoms = frames.Max(frame => frame.Atoms);
        using NpzWriter npz = new(path);
        bool shared = frames.All(frame => frame.AtomicNumbers.AsSpan().SequenceEqual(frames[0].AtomicNumbers));
        byte[] numbers = Rows(
            shared ? [frames[0]] : frames, atoms, frame => [.. frame.AtomicNumbers.Select(number => (byte)number)], (byte)0);
        if (shared) npz.Add("nuclear_charges", numbers, atoms);
        else npz.Add("nuclear_charges", numbers, count, atoms);
        npz.Add("coords", Rows(frames, 3 * atoms, frame => frame.Positions, 0), count, atoms, 3);
        if (frames.Any(frame => frame.HasEnergy)) npz.Add("energies", [.. frames.Select(frame => frame.Energy ?? double.NaN)], count);
        if (frames.Any(frame => frame.HasForces))
        {
            npz.Add("forces", Rows(frames, 3 * atoms, frame => frame.Forces, double.NaN), count, atoms, 3);
        }
        if (frames.Any(frame => frame.HasStress)) npz.Add("stress", Rows(frames, 9, frame => frame.Stress, double.NaN), count, 3, 3);
        if (frames.Any(frame => frame.Cell is not null)) npz.Add("cell", Rows(frames, 9, frame => frame.Cell, 0), count, 3, 3);
        // Beside a cell the absence of pbc means that all directions repeat.
        if (frames.Any(frame => frame.IsPeriodic || frame.Cell is not null))
        {
            npz.Add("pbc", Rows(frames, 3, frame => [.. frame.Periodic.Select(flag => (byte)(flag ? 1 : 0))], (byte)0), count, 3);
        }
        if (frames.Any(frame => frame.Charge != 0)) npz.Add("charge", [.. frames.Select(frame => frame.Charge)], count);
        if (frames.Any(frame => frame.Spin != 0)) npz.Add("spin", [.. frames.Select(frame => frame.Spin)], count);
        npz.Add("e_unit", "eV");
        npz.Add("r_unit", "Angstrom");
        npz.Complete();
    }

    private static T[] Rows<T>(IReadOnlyList<Frame> frames, int width, Func<Frame, T[]?> values, T absent)
    {
        T[] rows = new T[(long)frames.Count * width];
        Array.Fill(rows, absent);
        for (int f = 0; f < frames.Count; f++) values(frames[f])?.CopyTo(rows, (long)f * width);
        return rows;
    }
}

/// <summary>
/// Writes arrays as numpy's .npz, compressed, under a temporary name until <see cref="Complete"/>. The same arrays give the same bytes:
/// members carry a fixed date.
/// </summary>
internal sealed class NpzWriter : IDisposable
{
    private const int HeaderAlignment = 64;

    private static readonly DateTimeOffset Date = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly PendingFile file;
    private readonly ZipArchive zip;

    /// <exception cref="InputException">The file cannot be written.</exception>
    public NpzWriter(string path)
    {
        file = PendingFile.ForUser(path);
        zip = new ZipArchive(file.Stream, ZipArchiveMode.Create, leaveOpen: true);
    }

    public void Add(string name, ReadOnlySpan<double> values, params ReadOnlySpan<long> shape) => Add(name, "<f8", values, shape);

    public void Add(string name, ReadOnlySpan<float> values, params ReadOnlySpan<long> shape) => Add(name, "<f4", values, shape);

    public void Add(string name, ReadOnlySpan<int> values, params ReadOnlySpan<long> shape) => Add(name, "<i4", values, shape);

    public void Add(string name, ReadOnlySpan<byte> values, params ReadOnlySpan<long> shape) => Add(name, "|u1", values, shape);

    /// <summary>One text, as numpy's array of no dimensions.</summary>
    public void Add(string name, string text) => Add<byte>(name, $"<U{text.Length}", new UTF32Encoding(false, false).GetBytes(text), []);

    /// <summary>Renames the file into place.</summary>
    public void Complete()
    {
        zip.Dispose();
        file.Complete();
    }

    /// <summary>Gives up what was not completed.</summary>
    public void Dispose()
    {
        // Not the archive: given up, it would write its directory, to a disk that may just have failed.
        file.Dispose();
    }

    private void Add<T>(string name, string type, ReadOnlySpan<T> values, ReadOnlySpan<long> shape)
        where T : unmanaged
    {
        ZipArchiveEntry entry = zip.CreateEntry(name + ".npy", CompressionLevel.SmallestSize);
        entry.LastWriteTime = Date;
        using Stream stream = entry.Open();
        string sizes = shape.Length == 1 ? $"({shape[0]},)" : $"({string.Join(", ", shape.ToArray())})";
        StringBuilder header = new($"{{'descr': '{type}', 'fortran_order': False, 'shape': {sizes}, }}");
        int padding = HeaderAlignment - (10 + header.Length + 1) % HeaderAlignment;
        header.Append(' ', padding % HeaderAlignment).Append('\n');
        byte[] start = [0x93, .. "NUMPY"u8, 1, 0, 0, 0];
        BinaryPrimitives.WriteUInt16LittleEndian(start.AsSpan(8), (ushort)header.Length);
        stream.Write(start);
        stream.Write(Encoding.ASCII.GetBytes(header.ToString()));
        stream.Write(MemoryMarshal.AsBytes(values));
    }
}
