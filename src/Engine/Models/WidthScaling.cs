namespace ChemScale.Engine.Models;

/// <summary>
/// Factors on what a <see cref="ChemGpt"/> has at its base width. muP for Adam in the form that tied tables allow (Yang et al. 2022, arXiv
/// 2203.03466, table 8), with r = base width / width: matrices of the layers start with std sqrt(r) and learn at rate r, attention's scores
/// and the output's logits are multiplied by r. Tables, biases and norms keep std and rate. Heads are as many at every width, so r is
/// the ratio of head widths too, and scores go with 1 / head width.
/// </summary>
/// <param name="MatrixStd">On the initial standard deviation of the layers' matrices.</param>
/// <param name="MatrixRate">On their learning rate; their weight decay is divided by it, so that lr wd is one for all parameters.</param>
/// <param name="Scores">On q . k; GPT-Neo has 1 and not 1 / sqrt(head width), so this is attention's whole scale.</param>
/// <param name="Logits">On the scores of the next token.</param>
internal sealed record WidthScaling(double MatrixStd, double MatrixRate, double Scores, double Logits)
{
    public static WidthScaling None { get; } = new(1, 1, 1, 1);

    public static WidthScaling Of(ChemGptConfig config)
    {
        if (config.Parametrization == Parametrization.Standard) return None;
        double ratio = (double)config.BaseWidth / config.Width;
        return new WidthScaling(Math.Sqrt(ratio), ratio, ratio, ratio);
    }
}
