using ChemScale.Engine.Scaling.Allocation;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Summary;

/// <summary>What a study of compute budgets found.</summary>
public sealed record BudgetSummary
{
    /// <summary>The command line that makes it again.</summary>
    public required string Command { get; init; }

    public required DateTimeOffset Started { get; init; }

    public required double Seconds { get; init; }

    public required HostFacts Host { get; init; }

    public required IReadOnlyList<BudgetPart> Parts { get; init; }
}

/// <summary>One family of models under every budget.</summary>
public sealed record BudgetPart
{
    /// <summary>Name shown: ChemGPT, PaiNN.</summary>
    public required string Family { get; init; }

    public required string LossUnit { get; init; }

    /// <summary>What D counts: tokens, frames.</summary>
    public required string ItemName { get; init; }

    public required DataFacts Data { get; init; }

    public required int BatchSize { get; init; }

    /// <summary>By budget, then size.</summary>
    public required IReadOnlyList<BudgetPoint> Points { get; init; }

    /// <summary>Trainings of the least budget at rates that were not chosen.</summary>
    public required IReadOnlyList<BudgetPoint> Tuning { get; init; }

    /// <summary>The best size of each budget, or why there is none; budgets ascending.</summary>
    public required IReadOnlyList<IsoFlopMinimum> Minima { get; init; }

    /// <summary>N(C) through the minima.</summary>
    public required Claim Parameters { get; init; }

    /// <summary>D(C), D counting what is seen, repeats included.</summary>
    public required Claim Items { get; init; }

    /// <summary>L(C) through the losses at the minima.</summary>
    public required Claim Loss { get; init; }

    /// <summary>The trainings that no shorter one equals, by measured seconds; they share the machine with others of the study.</summary>
    public required IReadOnlyList<BudgetPoint> FastestTo { get; init; }

    public IReadOnlyList<string> Cautions { get; init; } = [];
}

/// <summary>One training.</summary>
/// <param name="Name">Of the run.</param>
/// <param name="ModelName">Of the size.</param>
/// <param name="Budget">FLOP it was planned for.</param>
/// <param name="Flops">FLOP it took: whole steps.</param>
/// <param name="Parameters">N, without embeddings.</param>
/// <param name="Items">Tokens or frames seen, repeats included.</param>
/// <param name="Passes">Over the training data.</param>
/// <param name="LearningRate">Peak.</param>
/// <param name="Loss">On the validation set, at the end of the schedule; null: the loss was not a number.</param>
/// <param name="Seconds">Wall time.</param>
public sealed record BudgetPoint(string Name, string ModelName, double Budget, double Flops, long Parameters, long Items, double Passes, double LearningRate,
    double? Loss, double Seconds);
