namespace ChemScale.Engine.Operators;

/// <summary>The numbers of one AdamW update.</summary>
/// <param name="Update">t: which update of these parameters it is, from 1.</param>
/// <param name="LearningRate">lr</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="WeightDecay">wd</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
internal readonly record struct AdamWForm(
    long Update, double LearningRate, double Beta1, double Beta2, double WeightDecay, double Epsilon);
