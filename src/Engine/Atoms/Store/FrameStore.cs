using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ChemScale.Engine.Atoms.Statistics;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Store;

/// <summary>
/// Frames on disk, memory-mapped, in eV and Angstrom: train and validation frames, their statistics and a manifest. Immutable; any
/// number of processes may read it.
/// </summary>
public sealed class FrameStore : IDisposable
{
    private readonly string manifestSha256;
    private readonly FrameSplitFiles train;
    private readonly FrameSplitFiles validation;

    private FrameStore(string folder, FrameStoreManifest manifest, string manifestSha256)
    {
        Folder = folder;
        Manifest = manifest;
        this.manifestSha256 = manifestSha256;
        train = new FrameSplitFiles(folder, FrameStoreLayout.Train, manifest.Train, manifest.ConfigTypes);
        validation = new FrameSplitFiles(folder, FrameStoreLayout.Validation, manifest.Validation, manifest.ConfigTypes);
        Train = new FrameSplit(FrameStoreLayout.Train, train, manifest.Train.Frames);
        Validation = new FrameSplit(FrameStoreLayout.Validation, validation, manifest.Validation.Frames);
    }

    public string Folder { get; }

    public FrameStoreManifest Manifest { get; }

    /// <summary>Of the training frames.</summary>
    public FrameStatistics Statistics => Manifest.Statistics;

    public FrameSplit Train { get; }

    /// <summary>The held-out frames: the same whatever part of <see cref="Train"/> is used.</summary>
    public FrameSplit Validation { get; }

    /// <summary>
    /// Opens a complete store. Names and sizes are checked each time; the contents are read whole, as <see cref="Verify(CancellationToken)"/> does,
    /// unless they were found sound before and no file has changed since.
    /// </summary>
    /// <param name="folder">The store.</param>
    /// <param name="stop">Ends the reading of the contents.</param>
    /// <exception cref="InputException">No complete store, or files that contradict its manifest: the file and what is wrong.</exception>
    public static FrameStore Open(string folder, CancellationToken stop = default)
    {
        FrameStore store = Map(folder);
        try
        {
            StoreStamp.Ensure(folder, FrameStoreLayout.Names, store.Manifest, store.manifestSha256, () => store.Verify(stop));
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>True where the folder holds a store that was completed.</summary>
    public static bool Exists(string folder) => File.Exists(Path.Combine(folder, FrameStoreManifest.FileName));

    /// <summary>Reads a store whole, whatever is known of it, and says everything that is wrong.</summary>
    /// <param name="folder">The store.</param>
    /// <param name="wrong">Gets each file that is wrong.</param>
    /// <param name="stop">Ends the reading.</param>
    internal static void Verify(string folder, Action<InputException> wrong, CancellationToken stop)
    {
        try
        {
            using FrameStore store = Map(folder);
            store.Verify(wrong, stop);
        }
        catch (InputException e)
        {
            wrong(e);
        }
    }

    /// <summary>
    /// Reads everything: checksums, rising offsets, elements of the table, positions that are numbers, labels that are numbers or absent.
    /// </summary>
    /// <exception cref="InputException">The first thing that is wrong.</exception>
    public void Verify(CancellationToken stop = default) => Verify(static e => throw e, stop);

    public void Dispose()
    {
        train.Dispose();
        validation.Dispose();
    }

    private static FrameStore Map(string folder)
    {
        try
        {
            FrameStoreManifest manifest = FrameStoreManifest.Read(folder, out string sha256);
            CheckSizes(folder, manifest, FrameStoreLayout.Train, manifest.Train);
            CheckSizes(folder, manifest, FrameStoreLayout.Validation, manifest.Validation);
            return new FrameStore(folder, manifest, sha256);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(folder, "cannot be read", "a frame store", e.Message);
        }
    }

    private static void CheckSizes(string folder, FrameStoreManifest manifest, string split, FrameCounts counts)
    {
        string path = Path.Combine(folder, FrameStoreManifest.FileName);
        Check(FrameStoreLayout.Records(split), counts.Frames, Unsafe.SizeOf<FrameRecord>());
        Check(FrameStoreLayout.Offsets(split), counts.Frames + 1, sizeof(long));
        Check(FrameStoreLayout.Elements(split), counts.Atoms, sizeof(byte));
        Check(FrameStoreLayout.Positions(split), 3 * counts.Atoms, sizeof(double));
        Check(FrameStoreLayout.Forces(split), 3 * counts.Atoms, sizeof(double));

        void Check(string name, long values, int size) => StoreFiles.CheckSize(folder, manifest.Expect(path, name, values, size));
    }

    private void Verify(Action<InputException> wrong, CancellationToken stop)
    {
        StoreFiles files = new(Folder, Manifest, wrong, stop);
        foreach ((string split, FrameCounts counts) in
            ((string, FrameCounts)[])[(FrameStoreLayout.Train, Manifest.Train), (FrameStoreLayout.Validation, Manifest.Validation)])
        {
            FrameLabels records = new(In(FrameStoreLayout.Records(split)), Manifest.ConfigTypes.Count);
            RisingAtoms offsets = new(In(FrameStoreLayout.Offsets(split)), counts);
            files.IsSound(FrameStoreLayout.Records(split), records.Look);
            files.IsSound(FrameStoreLayout.Offsets(split), offsets.Look);
            files.IsSound(FrameStoreLayout.Elements(split), (part, at) => CheckElements(part, at, In(FrameStoreLayout.Elements(split))));
            files.IsSound(FrameStoreLayout.Positions(split), (part, at) => CheckNumbers(part, at, mayBeAbsent: false, In(FrameStoreLayout.Positions(split))));
            files.IsSound(FrameStoreLayout.Forces(split), (part, at) => CheckNumbers(part, at, mayBeAbsent: true, In(FrameStoreLayout.Forces(split))));
        }

        string In(string name) => Path.Combine(Folder, name);
    }

    private static void CheckElements(ReadOnlySpan<byte> elements, long at, string path)
    {
        int none = elements.IndexOfAnyExceptInRange((byte)1, (byte)Elements.Heaviest);
        if (none >= 0) throw new InputException(path, $"atom {at + none} of element {elements[none]}", $"atomic numbers from 1 to {Elements.Heaviest}", StoreNames.Damaged);
    }

    /// <summary>No infinities, and where nothing may be absent no NaN.</summary>
    private static void CheckNumbers(ReadOnlySpan<byte> part, long at, bool mayBeAbsent, string path)
    {
        ReadOnlySpan<double> numbers = MemoryMarshal.Cast<byte, double>(part);
        int i = 0;
        var infinity = new Vector<double>(double.PositiveInfinity);
        for (; i + Vector<double>.Count <= numbers.Length; i += Vector<double>.Count)
        {
            // NaN compares as false: it is neither below infinity nor equal to it.
            Vector<double> size = Vector.Abs(new Vector<double>(numbers[i..]));
            if (mayBeAbsent ? Vector.EqualsAny(size, infinity) : !Vector.LessThanAll(size, infinity)) break;
        }
        for (; i < numbers.Length; i++)
        {
            if (double.IsFinite(numbers[i]) || (mayBeAbsent && double.IsNaN(numbers[i]))) continue;
            throw new InputException(
                path, $"value {at / sizeof(double) + i} of {numbers[i]}", mayBeAbsent ? "finite numbers, or NaN where unknown" : "finite numbers", StoreNames.Damaged);
        }
    }

    /// <summary>Offsets as they pass: from 0, rising, to the number of atoms; the largest frame as counted.</summary>
    private sealed class RisingAtoms(string path, FrameCounts counts)
    {
        private long last;
        private long largest;

        public void Look(ReadOnlySpan<byte> part, long at)
        {
            ReadOnlySpan<long> offsets = MemoryMarshal.Cast<byte, long>(part);
            long first = at / sizeof(long);
            for (int i = 0; i < offsets.Length; i++)
            {
                long next = offsets[i];
                if (first + i == 0 ? next != 0 : next <= this.last)
                    throw new InputException(path, $"offset {first + i} of {next} after {this.last}", "0, and from there rising", StoreNames.Damaged);
                this.largest = Math.Max(this.largest, next - this.last);
                this.last = next;
            }
            if (first + offsets.Length <= counts.Frames) return;
            if (this.last != counts.Atoms) throw new InputException(path, $"a last offset of {this.last}", $"{counts.Atoms}, the number of atoms");
            if (this.largest != counts.Largest)
                throw new InputException(path, $"a largest frame of {this.largest} atoms", $"{counts.Largest}, as {FrameStoreManifest.FileName} says");
        }
    }

    /// <summary>Records as they pass; one may lie across two parts.</summary>
    private sealed class FrameLabels(string path, int configTypes)
    {
        private readonly byte[] record = new byte[Unsafe.SizeOf<FrameRecord>()];
        private int filled;
        private long frame;

        public void Look(ReadOnlySpan<byte> part, long at)
        {
            while (part.Length > 0)
            {
                int taken = Math.Min(part.Length, record.Length - filled);
                part[..taken].CopyTo(record.AsSpan(filled));
                filled += taken;
                part = part[taken..];
                if (filled < record.Length) return;
                filled = 0;
                if (MemoryMarshal.Read<FrameRecord>(record).Fault(configTypes) is { } fault)
                    throw new InputException(path, $"frame {this.frame} with {fault}", "labels that are numbers or absent", StoreNames.Damaged);
                this.frame++;
            }
        }
    }
}
