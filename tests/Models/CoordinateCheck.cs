using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models;

/// <summary>
/// The coordinate check (Yang et al. 2022, appendix D.1): how far a few steps move the activations of models of several widths, and the
/// power of the width this goes with.
/// </summary>
internal static class CoordinateCheck
{
    private const int Molecules = 4, Length = 16;

    private static readonly int[] Widths = [16, 32, 64, 128, 256];

    private static readonly ChemGptConfig Config = new()
    {
        Layers = 4,
        Heads = 16,
        Positions = Length,
        VocabularySize = 24,
        Parametrization = Parametrization.Mup,
    };

    /// <summary>Slope of log(mean |change|) against log(width), over all widths, by activation.</summary>
    /// <param name="scaling">From muP's rule at a width to the one that is tried.</param>
    /// <param name="learningRate">Of tables, biases and norms, and of matrices at the base width.</param>
    /// <param name="steps">Optimizer steps, all on one batch.</param>
    /// <param name="seeds">How many initial weights and batches are averaged over.</param>
    public static Dictionary<string, double> Slopes(Func<WidthScaling, WidthScaling> scaling, double learningRate, int steps, int seeds)
    {
        var changes = new Dictionary<string, double[]>();
        for (int w = 0; w < Widths.Length; w++)
        {
            for (int seed = 0; seed < seeds; seed++)
            {
                foreach ((string name, double change) in Changes(Config with { Width = Widths[w] }, scaling, learningRate, steps, seed))
                {
                    if (!changes.TryGetValue(name, out double[]? sums)) changes[name] = sums = new double[Widths.Length];
                    sums[w] += change;
                }
            }
        }
        return changes.ToDictionary(c => c.Key, c => Slope([.. c.Value.Select(v => Math.Log(v))]));
    }

    /// <summary>Every activation of a batch of molecules of one length, by name; of the layers, one after the other.</summary>
    public static Dictionary<string, Tensor> Activations(ChemGpt model, Tensor ids, Tensor positions, PackedRows rows)
    {
        ChemGptConfig config = model.Config;
        Tensor x = model.TokenTable.index_select(0, ids) + model.PositionTable.index_select(0, positions);
        Tensor embedded = x, causal = ones(Length, Length, dtype: ScalarType.Bool).tril();
        var scores = new List<Tensor>();
        var attended = new List<Tensor>();
        var expanded = new List<Tensor>();
        foreach (ChemGptBlock block in model.Blocks)
        {
            Tensor qkv = nn.functional.linear(block.Norm(x, block.Norm1Weight, block.Norm1Bias), block.QueryKeyValue);
            Tensor parts = qkv.view(Molecules, Length, 3, config.Heads, config.Width / config.Heads).permute(2, 0, 3, 1, 4);
            Tensor score = parts.select(0, 0).matmul(parts.select(0, 1).transpose(-2, -1)) * model.Scaling.Scores;
            Tensor weights = nn.functional.softmax(score.masked_fill(causal.logical_not(), double.NegativeInfinity), -1);
            Tensor mixed = weights.matmul(parts.select(0, 2)).permute(0, 2, 1, 3).reshape(Molecules * Length, config.Width);
            Tensor branch = nn.functional.linear(mixed, block.ProjectionWeight, block.ProjectionBias);
            x = x + branch;
            Tensor after = block.FeedForward(x);
            scores.Add(score.masked_select(causal));
            attended.Add(branch);
            expanded.Add(after - x);
            x = after;
        }
        return new Dictionary<string, Tensor>
        {
            ["embeddings"] = embedded,
            ["attention scores"] = stack(scores),
            ["attention output"] = stack(attended),
            ["MLP output"] = stack(expanded),
            ["logits"] = model.Scored(model.Normalize(x)),
        };
    }

    public static (Tensor Ids, Tensor Positions, PackedRows Rows, Tensor Targets) Batch(int seed)
    {
        var random = new Random(seed);
        return GptNeoFixture.Pack([.. Enumerable.Range(0, Molecules).Select(_ => Enumerable.Range(0, Length).Select(_ => random.Next(Config.VocabularySize)).ToArray())]);
    }

    private static Dictionary<string, double> Changes(ChemGptConfig config, Func<WidthScaling, WidthScaling> scaling, double learningRate, int steps, int seed)
    {
        using var scope = NewDisposeScope();
        using var model = new ChemGpt(config, scaling(WidthScaling.Of(config)), seed);
        using var optimizer = new AdamW(model.named_parameters(), new OptimizerSpec(), model.LearningRateFactor);
        (Tensor ids, Tensor positions, PackedRows rows, Tensor targets) = Batch(seed);
        Dictionary<string, Tensor> before = Detached();
        for (int step = 0; step < steps; step++)
        {
            foreach (var parameter in model.parameters()) parameter.grad = null;
            Gradients.Backward(model.Loss(ids, positions, rows, targets));
            optimizer.Step(learningRate);
        }
        return Detached().ToDictionary(a => a.Key, a => (a.Value - before[a.Key]).abs().mean().to(ScalarType.Float64).item<double>());

        Dictionary<string, Tensor> Detached()
        {
            using var gradients = no_grad();
            return Activations(model, ids, positions, rows);
        }
    }

    /// <summary>Least squares against the logarithms of the widths.</summary>
    private static double Slope(double[] y)
    {
        double[] x = [.. Widths.Select(w => Math.Log(w))];
        double mx = x.Average(), my = y.Average();
        return x.Zip(y, (a, b) => (a - mx) * (b - my)).Sum() / x.Sum(a => (a - mx) * (a - mx));
    }
}
