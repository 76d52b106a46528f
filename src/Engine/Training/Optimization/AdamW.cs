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
/// Parameters without a gradient are left alone. One pass updates all of them: they lie together, <see cref="FlatParameters"/>.
/// </summary>
internal sealed class AdamW : IDisposable
{
    private const string FirstPrefix = "m.";
    private const string SecondPrefix = "v.";

    private readonly OptimizerSpec spec;
    private readonly string[] names;
    private readonly FlatParameters flat;
    private readonly Tensor[] firstFlat, secondFlat;
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
        flat = new FlatParameters([.. all.Select(p => p.Parameter)]);
        factors = [.. names.Select(learningRateFactor ?? (_ => 1))];
        updates = new long[all.Length];
        halved = spec.Moments == MomentPrecision.Bfloat16 ? new Bfloat16Moments() : null;
        (firstFlat, secondFlat) = halved is null ? (flat.Alike(), flat.Alike()) : ([], []);
        first = [.. all.Select((p, i) => Moment(p.Parameter, firstFlat, i))];
        second = [.. all.Select((p, i) => Moment(p.Parameter, secondFlat, i))];
    }

    /// <summary>What is trained, and its gradients.</summary>
    public FlatParameters Parameters => flat;

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

    /// <summary>One update from the gradients that there are: in their places, or with the parameters.</summary>
    public void Step(double learningRate)
    {
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        flat.Collect();
        for (int i = 0; i < names.Length; i++)
            if (flat.Used(i)) updates[i]++;
        if (halved is not null)
        {
            for (int i = 0; i < names.Length; i++)
                if (flat.Used(i)) UpdateHalved(halved, i, Settings(i));
        }
        else
        {
            // One run, unless some parameters learn at other rates or were not used by some losses.
            foreach ((int of, FlatParameters.Run run, Tensor gradients) in flat.Runs(i => (updates[i], factors[i])))
                AdamWUpdate.Apply([flat.Weights(run)], [gradients], [run.Of(firstFlat[run.Kind])], [run.Of(secondFlat[run.Kind])], Settings(of));
        }
        flat.End();

        AdamWSettings Settings(int i) =>
            new(updates[i], learningRate * factors[i], spec.Beta1, spec.Beta2, spec.WeightDecay / factors[i], spec.Epsilon);
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
        foreach (Tensor t in (Tensor[])[.. first, .. second, .. firstFlat, .. secondFlat]) t.Dispose();
        flat.Dispose();
    }

    private Tensor Moment(Parameter parameter, Tensor[] all, int index)
    {
        using IDisposable noGrad = no_grad();
        Tensor moment = halved is null ? flat.Place(all, index) : zeros(parameter.shape, dtype: ScalarType.BFloat16, device: parameter.device);
        return moment.DetachFromDisposeScope();
    }

    private void UpdateHalved(Bfloat16Moments moments, int i, in AdamWSettings form)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = flat.Weight(i), m = first[i].to(weight.dtype), v = second[i].to(weight.dtype);
        AdamWUpdate.Apply([weight], [flat.Gradient(i)], [m], [v], form);
        first[i].copy_(m);
        moments.RoundStochastically(v, second[i], updates[i], i);
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
