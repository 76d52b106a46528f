using System.Globalization;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Atoms.Units;

namespace ChemScale.Engine.Atoms.Preparation;

/// <summary>Which frames to read, how to understand and divide them, and where to put them.</summary>
public sealed record FramePreparation
{
    /// <summary>.xyz, .extxyz, .npz, .h5, .hdf5 or .db, read one after another.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>The store's folder.</summary>
    public required string Output { get; init; }

    /// <summary>Null: the file's own or its format's; an error where there is neither.</summary>
    public EnergyUnit? Energy { get; init; }

    /// <summary>Null: the file's own, else Angstrom.</summary>
    public LengthUnit? Length { get; init; }

    /// <summary>The files' forces are gradients of the energy, of the opposite sign.</summary>
    public bool ForcesAreGradients { get; init; }

    /// <summary>Null: the first of the usual names that is there.</summary>
    public string? EnergyKey { get; init; }

    /// <inheritdoc cref="EnergyKey"/>
    public string? ForcesKey { get; init; }

    /// <inheritdoc cref="EnergyKey"/>
    public string? StressKey { get; init; }

    public MissingLabels Missing { get; init; } = MissingLabels.Refuse;

    /// <summary>Share of frames held out, where none of the three below says otherwise.</summary>
    public double ValidationFraction { get; init; } = 0.1;

    /// <summary>Exactly this many frames held out, drawn by hash.</summary>
    public long? ValidationFrames { get; init; }

    /// <summary>All frames of these are held out, and none of <see cref="Files"/>.</summary>
    public IReadOnlyList<string> ValidationFiles { get; init; } = [];

    /// <summary>
    /// An .npz with <c>train_idx</c> and <c>val_idx</c>, as schnetpack writes: indices from 0 over the frames of <see cref="Files"/> in
    /// order. Frames on neither list are left out.
    /// </summary>
    public string? SplitFile { get; init; }

    /// <summary>Decides the split and the order.</summary>
    public long Seed { get; init; }

    /// <summary>Replace a store that is there, once the new one is complete.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Take this many frames of <see cref="Files"/> at most; null: all.</summary>
    public long? Limit { get; init; }

    /// <summary>What would be a warning of the report is an error.</summary>
    public bool Strict { get; init; }

    /// <summary>Angstrom: for the mean number of neighbours.</summary>
    public double NeighborCutoff { get; init; } = 5;

    /// <exception cref="InputException">No files, or options that contradict each other.</exception>
    internal void Check()
    {
        if (Files.Count == 0) throw new InputException("frames", "no files", "at least one");
        if (!(ValidationFraction is >= 0 and < 1))
        {
            throw new InputException("validation fraction", $"{ValidationFraction}", "a number from 0 up to, not including, 1");
        }
        if (Limit < 1) throw new InputException("limit", $"{Limit}", "at least 1");
        if (ValidationFrames < 0) throw new InputException("validation frames", $"{ValidationFrames}", "a count");
        int ways = (ValidationFrames is null ? 0 : 1) + (ValidationFiles.Count == 0 ? 0 : 1) + (SplitFile is null ? 0 : 1);
        if (ways > 1) throw new InputException("validation", "several ways to choose it", "one of a number, files, or a split file");
    }

    internal FrameReadOptions ReadOptions => new()
    {
        Energy = Energy,
        Length = Length,
        ForcesAreGradients = ForcesAreGradients,
        EnergyKey = EnergyKey,
        ForcesKey = ForcesKey,
        StressKey = StressKey,
    };

    /// <summary>How the sides are told apart, in words, for the manifest.</summary>
    internal string SplitText =>
        ValidationFiles.Count > 0 ? "validation files"
        : SplitFile is not null ? $"split file {Path.GetFileName(SplitFile)}"
        : ValidationFrames is { } frames ? $"{frames} frames by hash"
        : string.Create(CultureInfo.InvariantCulture, $"fraction {ValidationFraction} by hash");

    /// <summary>What to record in the manifest.</summary>
    internal IReadOnlyDictionary<string, string> Record => new Dictionary<string, string>
    {
        ["energy"] = Energy?.Name ?? "as the files say",
        ["length"] = Length?.Name ?? "as the files say, else Angstrom",
        ["forcesAreGradients"] = ForcesAreGradients ? "true" : "false",
        ["missingLabels"] = Missing.ToString().ToLowerInvariant(),
        ["constants"] = $"CODATA {PhysicalConstants.Codata2018.Year}",
    };
}

/// <summary>Where a preparation stands.</summary>
/// <param name="Stage">What is being done, in words.</param>
/// <param name="Frames">Frames done in this stage.</param>
/// <param name="Elapsed">Since the start.</param>
public sealed record FramePreparationProgress(string Stage, long Frames, TimeSpan Elapsed);

/// <summary>What a preparation did.</summary>
public sealed record FramePreparationReport
{
    /// <summary>What is in the store.</summary>
    public required FrameStoreManifest Store { get; init; }

    /// <summary>Frames read.</summary>
    public required long Read { get; init; }

    /// <summary>Copies left out.</summary>
    public required long Duplicates { get; init; }

    /// <summary>Of these, copies of validation frames among the training frames.</summary>
    public required long Shared { get; init; }

    /// <summary>Left out for want of a label.</summary>
    public required long Unlabelled { get; init; }

    /// <summary>On neither side of the split file.</summary>
    public required long Unassigned { get; init; }

    /// <summary>eV by atomic number, of isolated atoms: they are on neither side.</summary>
    public IReadOnlyDictionary<int, double> IsolatedAtoms { get; init; } = new Dictionary<int, double>();

    /// <summary>What looks wrong with the data, one line each.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    public required TimeSpan Elapsed { get; init; }
}

/// <summary>What to do with a frame that lacks its energy or its forces.</summary>
public enum MissingLabels
{
    /// <summary>Stop, and name it.</summary>
    Refuse,

    /// <summary>Leave it out, and count it.</summary>
    Drop,

    /// <summary>Keep what it has, as long as that is not nothing.</summary>
    Keep,
}
