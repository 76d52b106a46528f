using System.Text.Json.Nodes;
using ChemScale.Engine.Operators.Optimization;
using ChemScale.Engine.Training.Experiments;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Engine.Training.Optimization;

/// <summary>
/// AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2) as torch.optim.AdamW computes it. With t counting a parameter's
/// updates: w *= 1 - lr wd;  m += (1 - b1)(g - m);  v = b2 v + (1 - b2) g^2;  w -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps).
/// Parameters without a gradient are left alone. One fused call updates all of them.
/// </summary>
internal sealed class AdamW : IDisposable
{
    private const string FirstPrefix = "m.";
    private const string SecondPrefix = "v.";

    private readonly OptimizerSpec spec;
    private readonly string[] names;
    private readonly Parameter[] parameters;
    private readonly Tensor[] first;
    private readonly Tensor[] second;
    private readonly double[] factors;
    private readonly long[] updates;
    private readonly Bfloat16Moments? halved;

    /// <param name="parameters">What is trained.</param>
    /// <param name="spec">Decays and epsilon.</param>
    /// <param name="learningRateFactor">
    /// By name, what a parameter's learning rate is multiplied by and its weight decay divided by: lr wd, what a step takes off a weight, is
    /// one for all. Null: 1 for all.
    /// </param>
    public AdamW(IEnumerable<(string Name, Parameter Parameter)> parameters, OptimizerSpec spec, Func<string, double>? learningRateFactor = null)
    {
        this.spec = spec;
        (string Name, Parameter Parameter)[] all = [.. parameters];
        names = [.. all.Select(p => p.Name)];
        this.parameters = [.. all.Select(p => p.Parameter)];
        factors = [.. names.Select(learningRateFactor ?? (_ => 1))];
        updates = new long[all.Length];
        halved = spec.Moments == MomentPrecision.Bfloat16 ? new Bfloat16Moments() : null;
        ScalarType? type = halved is null ? null : ScalarType.BFloat16;
        first = [.. this.parameters.Select(p => Moment(p, type))];
        second = [.. this.parameters.Select(p => Moment(p, type))];
    }

    /// <summary>The moments, by name; the optimizer keeps owning them.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Tensors
    {
        get
        {
            for (int i = 0; i < names.Length; i++)
            {
                yield return KeyValuePair.Create(FirstPrefix + names[i], first[i]);
                yield return KeyValuePair.Create(SecondPrefix + names[i], second[i]);
            }
        }
    }

    /// <summary>One update from the gradients the parameters hold now.</summary>
    public void Step(double learningRate)
    {
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        var groups = new Dictionary<(long Update, double Factor), List<int>>();
        var gradients = new Tensor?[parameters.Length];
        for (int i = 0; i < parameters.Length; i++)
        {
            gradients[i] = parameters[i].grad;
            if (gradients[i] is null) continue;
            updates[i]++;
            (long, double) key = (updates[i], factors[i]);
            if (!groups.TryGetValue(key, out List<int>? group)) groups[key] = group = [];
            group.Add(i);
        }
        // One group, unless some parameters learn at other rates or were not used by some losses.
        foreach (((long update, double factor), List<int> group) in groups)
        {
            var form = new AdamWSettings(update, learningRate * factor, spec.Beta1, spec.Beta2, spec.WeightDecay / factor, spec.Epsilon);
            if (halved is not null) UpdateHalved(halved, group, gradients, form);
            else AdamWUpdate.Apply(Pick(parameters, group), Pick(gradients, group), Pick(first, group), Pick(second, group), form);
        }
    }

    /// <summary>Updates done per parameter, in the order of the module.</summary>
    public JsonNode SaveState() => new JsonObject { ["updates"] = new JsonArray([.. updates.Select(n => (JsonNode)n)]) };

    /// <exception cref="InputException">The state is that of another model.</exception>
    public void LoadState(JsonNode state)
    {
        JsonArray saved = state["updates"]!.AsArray();
        if (saved.Count != updates.Length)
            throw new InputException("checkpoint", $"optimizer state of {saved.Count} parameters", $"{updates.Length}",
                "resume with the model that was trained");
        for (int i = 0; i < updates.Length; i++) updates[i] = (long)saved[i]!;
    }

    public void Dispose()
    {
        foreach (Tensor t in first) t.Dispose();
        foreach (Tensor t in second) t.Dispose();
    }

    private static Tensor Moment(Parameter parameter, ScalarType? type)
    {
        using IDisposable noGrad = no_grad();
        return zeros(parameter.shape, dtype: type ?? parameter.dtype, device: parameter.device).DetachFromDisposeScope();
    }

    private static Tensor[] Pick(IReadOnlyList<Tensor?> from, List<int> group) => [.. group.Select(i => from[i]!)];

    private void UpdateHalved(Bfloat16Moments moments, List<int> group, Tensor?[] gradients, in AdamWSettings form)
    {
        foreach (int i in group)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor m = first[i].to(parameters[i].dtype);
            Tensor v = second[i].to(parameters[i].dtype);
            AdamWUpdate.Apply([parameters[i]], [gradients[i]!], [m], [v], form);
            first[i].copy_(m);
            moments.RoundStochastically(v, second[i], updates[i], i);
        }
    }
}

/// <summary>
/// Rounding to bfloat16 up or down at random, right on average. To nearest, a second moment with decay 0.999 would stand still: it moves
/// by a thousandth a step, and bfloat16 tells only every 256th apart. The random numbers follow from update and parameter: no state to
/// save.
/// </summary>
internal sealed class Bfloat16Moments
{
    public void RoundStochastically(Tensor source, Tensor target, long update, int parameter)
    {
        using var generator = new Generator(Seed(update, parameter), source.device);
        using Tensor noise = rand(source.shape, dtype: ScalarType.Float32, device: source.device, generator: generator);
        FusedOps.RoundToBfloat16(source, noise, target);
    }

    private static ulong Seed(long update, int parameter) =>
        unchecked((ulong)update * 0x9E3779B97F4A7C15UL + (ulong)parameter * 0xD1B54A32D192ED03UL);
}
