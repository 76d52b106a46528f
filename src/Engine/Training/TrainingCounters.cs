using ChemScale.Engine.Training.Optimization;

namespace ChemScale.Engine.Training;

/// <summary>Where a run stands, apart from tensors and data: saved in every checkpoint as it is.</summary>
internal sealed record TrainingCounters
{
    /// <summary>Optimizer steps done.</summary>
    public long Step { get; set; }

    public long ItemsSeen { get; set; }

    public double Seconds { get; set; }

    /// <summary>Sum over the present epoch's items of the training loss, each step's with the weights of that step.</summary>
    public double EpochLossSum { get; set; }

    public long EpochWeight { get; set; }

    public double? ValidationLoss { get; set; }

    public long? ValidatedStep { get; set; }

    public double? BestValidationLoss { get; set; }

    public long? BestStep { get; set; }

    /// <summary>Validations since the best.</summary>
    public int Stale { get; set; }

    public Plateau Plateau { get; set; } = new();

    /// <returns>True where it is the best so far.</returns>
    public bool AddValidation(double loss)
    {
        ValidationLoss = loss;
        ValidatedStep = Step;
        Stale++;
        if (BestValidationLoss is { } best && !(loss < best)) return false;
        BestValidationLoss = loss;
        BestStep = Step;
        Stale = 0;
        return true;
    }
}
