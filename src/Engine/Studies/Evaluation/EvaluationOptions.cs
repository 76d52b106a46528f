namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>What to compare with which labels.</summary>
public sealed record EvaluationOptions : PredictionOptions
{
    /// <summary>Say too what is left of the errors of energy when the best constant is taken away.</summary>
    public bool ShiftEnergies { get; init; }
}
