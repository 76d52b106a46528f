using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Models;

namespace ChemScale.Engine.Studies;

/// <summary>What a study runs: data, search, grid. Two sizes are ready-made.</summary>
public sealed record StudyPlan
{
    /// <summary>Files of molecules; none: the virtual library, which is synthetic.</summary>
    public IReadOnlyList<string> Molecules { get; init; } = [];

    /// <summary>Molecules taken from the files or the library.</summary>
    public long Limit { get; init; } = 10_000;

    public SelfiesGrammar Grammar { get; init; } = SelfiesGrammar.V1;

    /// <summary>A tokenizer.json; null: the corpus's own symbols.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>The model; its width is the search's and the grid's.</summary>
    public ChemGptConfig Model { get; init; } = new() { Layers = 4, Heads = 16, Window = 256, Positions = 512 };

    public long Seed { get; init; } = 42;

    /// <summary>Molecules of the fixed validation set.</summary>
    public long Validation { get; init; } = 400;

    public int SearchWidth { get; init; } = 32;

    public long SearchMolecules { get; init; } = 400;

    public IReadOnlyList<double> LearningRates { get; init; } = [5e-5, 3e-4, 1e-3, 4e-3];

    public IReadOnlyList<int> BatchSizes { get; init; } = [8, 16, 32];

    public int SearchEpochs { get; init; } = 10;

    public int ProbeEpochs { get; init; } = 2;

    /// <summary>Finish every configuration, to show how good the predictions were.</summary>
    public bool ValidateSearch { get; init; } = true;

    public IReadOnlyList<int> Widths { get; init; } = [16, 32, 64, 128];

    public IReadOnlyList<long> Subsets { get; init; } = [100, 400, 1600, 6400];

    public int MaximumEpochs { get; init; } = 60;

    /// <summary>Cap on the molecules a point of the grid sees.</summary>
    public long MaximumMolecules { get; init; } = 9000;

    /// <summary>Runs side by side; 0: one for each core.</summary>
    public int Parallel { get; init; }

    /// <summary>At most three minutes on two cores, on the virtual library.</summary>
    public static StudyPlan Quick { get; } = new();

    /// <summary>About ten minutes on two cores, on a real corpus of 20,000 molecules or more.</summary>
    public static StudyPlan Standard { get; } = new()
    {
        Limit = 20_000,
        Validation = 1000,
        SearchMolecules = 1000,
        Widths = [16, 32, 64, 128],
        Subsets = [500, 2000, 8000, 16_000],
        MaximumMolecules = 48_000,
    };

    /// <exception cref="InputException">Sizes that do not fit together.</exception>
    public void Check()
    {
        if (Limit < 10) throw new InputException("--limit", $"{Limit}", "10 molecules or more");
        if (Widths.Count == 0) throw new InputException("--widths", "none", "one or more");
        if (Subsets.Count == 0 || Subsets.Any(s => s < 1)) throw new InputException("--subsets", string.Join(",", Subsets), "one or more sizes of at least 1");
        foreach (int width in Widths.Append(SearchWidth)) (Model with { Width = width }).Validate();
        if (ProbeEpochs < 1 || ProbeEpochs >= SearchEpochs)
            throw new InputException("--probe-epochs", $"{ProbeEpochs}", $"1 to {SearchEpochs - 1}, less than the {SearchEpochs} epochs of a full run");
    }
}
