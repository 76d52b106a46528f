using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Files;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Preparation;

/// <summary>
/// Makes a frame store: reads every file into a spool, sorts the frames' keys, and writes both sides in their order. Nothing in the
/// folder changes before everything is on disk.
/// </summary>
public sealed class FramePreparer
{
    /// <summary>Angstrom: atoms of one frame nearer than <see cref="NeighborLists"/> allows are found with this cutoff.</summary>
    private const double CollisionCutoff = 0.1;

    private const int ProgressFrames = 1000;

    private readonly FramePreparation options;
    private readonly Action<FramePreparationProgress>? progress;
    private readonly CancellationToken stop;
    private readonly long start = Stopwatch.GetTimestamp();
    private readonly List<SpooledFrame> waiting = [];
    private readonly List<FrameSource> sources = [];
    private readonly SplitIndices? indices;
    private readonly FrameAudit audit = new();
    private readonly SortedDictionary<int, (double Energy, string Place)> isolated = [];

    // Free atoms that no name says are references: their places among those waiting.
    private readonly List<(int Waiting, int Element, double Energy, string Place)> freeAtoms = [];
    private string sourceName = "";
    private long read;
    private long unlabelled;
    private long unassigned;

    private FramePreparer(FramePreparation options, Action<FramePreparationProgress>? progress, CancellationToken stop)
    {
        this.stop = stop;
        this.options = options;
        this.progress = progress;
        indices = options.SplitFile is { } file ? new SplitIndices(file) : null;
    }

    /// <param name="options">What to read, and where to.</param>
    /// <param name="progress">Told now and then.</param>
    /// <param name="stop">Leaves the folder as it was.</param>
    /// <exception cref="InputException">File and line, row or key of what is wrong; the folder stays as it was.</exception>
    public static FramePreparationReport Run(
        FramePreparation options, Action<FramePreparationProgress>? progress = null, CancellationToken stop = default) =>
        Run(options, progress, DiskStorage.Shared, stop);

    internal static FramePreparationReport Run(
        FramePreparation options, Action<FramePreparationProgress>? progress, IStorage storage, CancellationToken stop = default)
    {
        options.Check();
        FramePreparer preparer = new(options, progress, stop);
        using StoreDraft draft = new(options.Output, options.Overwrite, FrameStoreLayout.Names, storage);
        try
        {
            return preparer.Make(draft);
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw draft.Unwritable(e);
        }
    }

    private FramePreparationReport Make(StoreDraft draft)
    {
        using Stream stream = draft.Create("spool");
        FrameSpool spool = new(stream);
        foreach (string file in options.Files) ReadFile(file, validation: false, spool);
        foreach (string file in options.ValidationFiles) ReadFile(file, validation: true, spool);
        spool.Flush();
        SetFreeAtomsApart();
        indices?.Check(read);
        FrameSorting sorting = FrameSorting.Of(waiting, options, spool, stop);
        if (sorting.Train.Count == 0) throw new InputException(options.Files[0], "no frame left to train on", "at least one");
        IReadOnlyList<string> warnings = audit.Complete();
        if (options.Strict && warnings.Count > 0)
            throw new InputException("strict", warnings[0] + (warnings.Count > 1 ? $" (and {warnings.Count - 1} more)" : ""), "data without warnings");
        FrameStoreManifest manifest = Write(draft, spool, sorting);
        draft.Commit(manifest.ToJson());
        return new FramePreparationReport
        {
            Store = manifest,
            Read = read,
            Duplicates = sorting.Duplicates,
            Shared = sorting.Shared,
            Unlabelled = unlabelled,
            Unassigned = unassigned,
            Warnings = warnings,
            IsolatedAtoms = Isolated(),
            Elapsed = Stopwatch.GetElapsedTime(start),
        };
    }

    private SortedDictionary<int, double> Isolated() => new(isolated.ToDictionary(pair => pair.Key, pair => pair.Value.Energy));

    private void ReadFile(string file, bool validation, FrameSpool spool)
    {
        long frames = 0;
        sourceName = Path.GetFileName(file);
        List<string> keys = [];
        LabelKeys? last = null;
        foreach (Frame frame in FrameFiles.Read(file, options.ReadOptions with { Stop = stop }))
        {
            if (frame.Keys is not null && frame.Keys != last)
            {
                last = frame.Keys;
                if (!keys.Contains(last.ToString())) keys.Add(last.ToString());
            }
            stop.ThrowIfCancellationRequested();
            if (!validation && read == options.Limit) break;
            long index = read++;
            frames++;
            if (frames % ProgressFrames == 0) Report($"reading {Path.GetFileName(file)}", frames);
            bool isFreeAtom = IsFreeAtom(frame);
            if (isFreeAtom && (IsNamedIsolated(frame) || frame.Forces is null))
            {
                TakeIsolated(frame.AtomicNumbers[0], frame.Energy!.Value, frame.Place);
                continue;
            }
            bool? side = validation ? true : indices is null ? false : indices.IsValidation(index);
            if (side is null) unassigned++;
            else if (HasLabels(frame))
            {
                if (isFreeAtom) freeAtoms.Add((waiting.Count, frame.AtomicNumbers[0], frame.Energy!.Value, frame.Place));
                Take(frame, frames, side.Value, spool);
            }
            else unlabelled++;
        }
        sources.Add(new FrameSource(sourceName, frames, keys, validation));
    }

    /// <summary>A free neutral atom that feels nothing: what the energies of frames are counted from, and no frame itself.</summary>
    private static bool IsFreeAtom(Frame frame) => frame is { Atoms: 1, IsPeriodic: false, HasEnergy: true, Charge: 0 } && double.IsFinite(frame.Energy!.Value)
        && (IsNamedIsolated(frame) || frame.Forces is null || frame.Forces.All(f => f == 0));

    private static bool IsNamedIsolated(Frame frame) => frame.ConfigType?.Contains("isolated", StringComparison.OrdinalIgnoreCase) == true;

    /// <exception cref="InputException">The element has another energy already.</exception>
    private void TakeIsolated(int element, double energy, string place)
    {
        if (isolated.TryGetValue(element, out var known) && Math.Abs(known.Energy - energy) > 1e-6)
        {
            throw new InputException(place, string.Create(CultureInfo.InvariantCulture, $"an isolated {Elements.Symbol(element)} of {energy} eV"),
                string.Create(CultureInfo.InvariantCulture, $"{known.Energy}, as {known.Place} has it"), "leave one of them out");
        }
        isolated[element] = (energy, place);
    }

    /// <summary>Unnamed free atoms are references beside frames of more atoms, and where those of an element agree; else frames as any other.</summary>
    private void SetFreeAtomsApart()
    {
        if (freeAtoms.Count == waiting.Count) return;
        List<int> apart = [];
        foreach (var atoms in freeAtoms.GroupBy(a => a.Element))
        {
            double energy = isolated.TryGetValue(atoms.Key, out var known) ? known.Energy : atoms.First().Energy;
            if (atoms.Any(a => Math.Abs(a.Energy - energy) > 1e-6)) continue;
            TakeIsolated(atoms.Key, energy, atoms.First().Place);
            apart.AddRange(atoms.Select(a => a.Waiting));
        }
        foreach (int place in apart.OrderDescending()) waiting.RemoveAt(place);
    }

    private void Take(Frame frame, long number, bool validation, FrameSpool spool)
    {
        NeighborLists.Build(frame, CollisionCutoff, stop).Dispose();
        ulong key = FrameSplitRule.Key(FrameSplitRule.Identity(frame), options.Seed);
        audit.Add(sourceName, number, frame, key);
        waiting.Add(new SpooledFrame(key, spool.Add(frame), validation));
    }

    private bool HasLabels(Frame frame)
    {
        bool infinite = (frame.Stress is { } stress && stress.Any(double.IsInfinity)) || (frame.Energy is { } energy && double.IsInfinity(energy))
            || (frame.Forces is { } forces && forces.Any(double.IsInfinity));
        if (infinite && options.Missing == MissingLabels.Refuse) throw new InputException(frame.Place, "an infinite label, or one beyond 1E+30", "numbers", MissingHint);
        if (frame.HasEnergy && frame.HasForces) return true;
        if (options.Missing == MissingLabels.Keep && (frame.HasEnergy || frame.HasForces || frame.HasStress)) return true;
        if (options.Missing == MissingLabels.Drop) return false;
        throw new InputException(
            frame.Place,
            frame.HasEnergy ? "no forces" : frame.HasForces ? "no energy" : "neither energy nor forces",
            frame.OtherLabels.Count == 0 ? "both, as numbers" : $"both, as numbers; {string.Join(", ", frame.OtherLabels)} may be meant, if it is named",
            MissingHint);
    }

    private const string MissingHint = "`missing` drop leaves such frames out, `missing` keep takes what they have";

    private FrameStoreManifest Write(StoreDraft draft, FrameSpool spool, FrameSorting sorting)
    {
        StatisticsCollector statistics = new(options.NeighborCutoff, stop);
        FrameCounts train = WriteSide(draft, FrameStoreLayout.Train, spool, sorting.Train, statistics.Add);
        FrameCounts validation = WriteSide(draft, FrameStoreLayout.Validation, spool, sorting.Validation, _ => { });
        return new FrameStoreManifest
        {
            Train = train,
            Validation = validation,
            Statistics = statistics.Complete() with { IsolatedAtoms = Isolated() },
            ConfigTypes = spool.ConfigTypes,
            Sources = sources,
            Seed = options.Seed,
            Split = options.SplitText,
            Duplicates = sorting.Duplicates,
            Options = options.Record,
            Files = draft.Files,
        };
    }

    private FrameCounts WriteSide(StoreDraft draft, string split, FrameSpool spool, List<SpooledFrame> frames, Action<Frame> see)
    {
        using FrameSplitWriter writer = new(draft, split);
        long written = 0;
        foreach (SpooledFrame waiting in frames)
        {
            stop.ThrowIfCancellationRequested();
            Frame frame = spool.Read(waiting.Offset);
            writer.Add(frame, spool.TypeOf(frame));
            see(frame);
            if (++written % ProgressFrames == 0) Report($"writing {split} frames", written);
        }
        return writer.Complete();
    }

    private void Report(string stage, long frames) =>
        progress?.Invoke(new FramePreparationProgress(stage, frames, Stopwatch.GetElapsedTime(start)));
}

/// <summary>The sides that a split file puts frames on, by their index over all files.</summary>
internal sealed class SplitIndices
{
    private readonly string path;
    private readonly Dictionary<long, bool> validation = [];

    /// <exception cref="InputException">No such lists, or an index on both.</exception>
    public SplitIndices(string path)
    {
        this.path = path;
        NpzArchive archive = NpzArchive.Open(path);
        foreach (long index in archive["train_idx"].Integers()) validation[index] = false;
        foreach (long index in archive["val_idx"].Integers())
        {
            if (!validation.TryAdd(index, true) && !validation[index])
            {
                throw new InputException($"{path}: val_idx", $"frame {index}, which is in train_idx too", "each frame on one side");
            }
        }
    }

    /// <summary>Null where the frame is on neither side.</summary>
    public bool? IsValidation(long index) => this.validation.TryGetValue(index, out bool validation) ? validation : null;

    /// <exception cref="InputException">An index beyond the frames there are.</exception>
    public void Check(long frames)
    {
        if (validation.Keys.DefaultIfEmpty().Max() is var largest && largest >= frames)
        {
            throw new InputException(path, $"frame {largest}", $"indices below {frames}, as many as there are");
        }
    }
}
