namespace ChemScale.Engine.Estimation.Curves;

/// <summary>Training loss of one mini-batch, with the weights it was computed with.</summary>
/// <param name="Epoch">From 0; null where unknown.</param>
/// <param name="Step">Optimizer step.</param>
/// <param name="Loss">Mean over the mini-batch's items.</param>
public readonly record struct StepLoss(int? Epoch, long Step, double Loss);

/// <summary>Training loss of one epoch.</summary>
/// <param name="Epoch">From 0.</param>
/// <param name="Steps">Mini-batches it sums over.</param>
/// <param name="Sum">Of their losses.</param>
public readonly record struct EpochLoss(int Epoch, int Steps, double Sum)
{
    public double Mean => Sum / Steps;
}

/// <summary>Validation loss after a step.</summary>
public readonly record struct ValidationLoss(int? Epoch, long Step, double Loss);
