using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Optimization;
using ChemScale.Engine.Operators.Runs;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Engine.Training.Optimization;

/// <summary>
/// The parameters that are trained, moved into one piece of memory a number type and device, and their gradients in another: an optimizer goes
/// over each once, whatever the parameters are. A module's tensors stay its own, with their names and shapes, as views.
/// </summary>
internal sealed class FlatParameters : IGradientPlaces, IDisposable
{
    // 64 bytes of the least number type: every parameter begins at a cache line; what lies between stays zero.
    private const long Line = 32;

    private readonly Parameter[] parameters;
    private readonly (ScalarType, DeviceType, int)[] kinds;
    private readonly long[] offsets;
    private readonly int[] index;
    private readonly Dictionary<(ScalarType, DeviceType, int), Buffers> buffers = [];
    private readonly Dictionary<nint, int> byAddress = [];
    private readonly Dictionary<Tensor, int> byObject = new(ReferenceEqualityComparer.Instance);
    private readonly nint[] addresses;
    // Which autograd left a gradient with, known once they were collected.
    private readonly bool[] graded;
    private readonly bool[] placed, used;
    private bool collected, known;

    public FlatParameters(Parameter[] parameters)
    {
        using IDisposable noGrad = no_grad();
        this.parameters = parameters;
        kinds = [.. parameters.Select(p => (p.dtype, p.device_type, p.device_index))];
        offsets = new long[parameters.Length];
        (placed, used, graded, addresses) = (new bool[parameters.Length], new bool[parameters.Length], new bool[parameters.Length], new nint[parameters.Length]);
        var lengths = new Dictionary<(ScalarType, DeviceType, int), long>();
        for (int i = 0; i < parameters.Length; i++)
        {
            offsets[i] = lengths.GetValueOrDefault(kinds[i]);
            lengths[kinds[i]] = offsets[i] + Rounded(parameters[i].numel());
        }
        foreach ((var kind, long length) in lengths)
        {
            Device device = parameters[Array.IndexOf(kinds, kind)].device;
            buffers[kind] = new Buffers(Zeros(length, kind.Item1, device), Zeros(length, kind.Item1, device));
        }
        index = [.. kinds.Select(kind => buffers.Keys.ToList().IndexOf(kind))];
        for (int i = 0; i < parameters.Length; i++)
        {
            using Tensor place = View(buffers[kinds[i]].Weights, i);
            place.copy_(parameters[i]);
            parameters[i].set_(place);
            using var memory = new TensorMemory(parameters[i]);
            if (parameters[i].numel() == 0 || parameters[i].device_type != DeviceType.CPU) continue;
            addresses[i] = memory.Address;
            byAddress[memory.Address] = i;
            byObject[parameters[i]] = i;
        }
    }

    public int Count => parameters.Length;

    /// <summary>Numbers of one kind in all, those between parameters included.</summary>
    public IEnumerable<(ScalarType Type, Device Device, long Length)> Kinds =>
        buffers.Values.Select(b => (b.Weights.dtype, b.Weights.device, b.Weights.numel()));

    /// <summary>Memory with a place for each parameter, as the weights and gradients have; zeros.</summary>
    public Tensor[] Alike() => [.. buffers.Values.Select(b => Zeros(b.Weights.numel(), b.Weights.dtype, b.Weights.device))];

    /// <summary>A parameter's place in one of <see cref="Alike"/>, in its shape.</summary>
    public Tensor Place(Tensor[] alike, int parameter) => View(alike[index[parameter]], parameter);

    /// <summary>Whether the parameter had a gradient when they were collected.</summary>
    public bool Used(int parameter) => used[parameter];

    /// <summary>No parameter has a gradient.</summary>
    public void Clear()
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            if (graded[i] || !known) parameters[i].grad = null;
            graded[i] = false;
        }
        Array.Clear(placed);
        (collected, known) = (false, false);
    }

    /// <summary>The loss that this computes is for <see cref="Backward"/>: parameters need be no variables of its graph.</summary>
    public T Loss<T>(Func<T> loss)
    {
        RunScope scope = RunScope.Current;
        scope.Trained = this;
        try
        {
            return loss();
        }
        finally
        {
            scope.Trained = null;
        }
    }

    /// <summary>Adds the gradients by the parameters to those that there are since <see cref="Clear"/>.</summary>
    /// <param name="loss">A scalar.</param>
    public void Backward(Tensor loss)
    {
        RunScope scope = RunScope.Current;
        (scope.GradientPlaces, scope.Trained) = (this, this);
        try
        {
            Gradients.Backward(loss);
        }
        finally
        {
            (scope.GradientPlaces, scope.Trained) = (null, null);
        }
    }

    /// <inheritdoc/>
    public GradientPlace Take(Tensor tensor)
    {
        if (collected) return default;
        if (!byObject.TryGetValue(tensor, out int i))
        {
            if (!tensor.is_leaf) return default;
            using var memory = new TensorMemory(tensor);
            if (!byAddress.TryGetValue(memory.Address, out i)) return default;
        }
        bool add = placed[i];
        placed[i] = true;
        return new GradientPlace(buffers[kinds[i]].Gradients, offsets[i], add);
    }

    /// <inheritdoc/>
    public bool Holds(Tensor tensor, out nint address)
    {
        bool found = byObject.TryGetValue(tensor, out int i);
        address = found ? addresses[i] : 0;
        return found;
    }

    /// <summary>Brings together what passes put in place and what autograd left with the parameters. Once a step; further calls do nothing.</summary>
    public void Collect()
    {
        if (collected) return;
        using IDisposable noGrad = no_grad();
        for (int i = 0; i < parameters.Length; i++)
        {
            using Tensor? gradient = parameters[i].grad;
            used[i] = placed[i] || gradient is not null;
            graded[i] = gradient is not null;
            if (gradient is null) continue;
            using Tensor place = View(buffers[kinds[i]].Gradients, i);
            if (placed[i]) place.add_(gradient);
            else place.copy_(gradient);
        }
        (collected, known) = (true, true);
    }

    /// <summary>The step is over: the next backward pass begins anew.</summary>
    public void End()
    {
        Array.Clear(placed);
        collected = false;
    }

    /// <summary>L2 norm of the gradients of all parameters that have one.</summary>
    public double Norm()
    {
        double sum = 0;
        foreach ((_, _, Tensor gradients) in Runs(_ => 0))
        {
            using Tensor own = gradients;
            if (AdamWUpdateHost.Has(own) && OperatorModes.UseHost(own)) sum += AdamWUpdateHost.SquaredNorm(own);
            else sum += Math.Pow(FusedOps.Norm([own]).item<double>(), 2);
        }
        return Math.Sqrt(sum);
    }

    /// <summary>Gradients times a factor.</summary>
    public void Scale(double factor)
    {
        foreach ((_, _, Tensor gradients) in Runs(_ => 0))
        {
            using Tensor own = gradients;
            own.mul_(factor);
        }
    }

    /// <summary>
    /// Parameters with gradients, as many at once as lie side by side and have one key: any of them, where they lie in all (kind, start, length),
    /// and their gradients.
    /// </summary>
    public IEnumerable<(int First, Run Where, Tensor Gradients)> Runs<TKey>(Func<int, TKey> key)
        where TKey : IEquatable<TKey>
    {
        if (!collected) throw new InvalidOperationException("gradients that were not collected");
        for (int k = 0; k < buffers.Count; k++)
        {
            int first = -1;
            long end = 0;
            for (int i = 0; i <= parameters.Length; i++)
            {
                bool last = i == parameters.Length;
                if (!last && index[i] != k) continue;
                if (first >= 0 && (last || !used[i] || !key(i).Equals(key(first))))
                {
                    var run = new Run(k, offsets[first], end - offsets[first]);
                    yield return (first, run, run.Of(buffers.Values.ElementAt(k).Gradients));
                    first = -1;
                }
                if (last || !used[i]) continue;
                if (first < 0) first = i;
                // With the zeros behind it: whole vectors, whose results do not depend on where a parameter lies.
                end = offsets[i] + Rounded(parameters[i].numel());
            }
        }
    }

    /// <summary>The weights of a run.</summary>
    public Tensor Weights(Run run) => run.Of(buffers.Values.ElementAt(run.Kind).Weights);

    public Tensor Weight(int parameter) => View(buffers[kinds[parameter]].Weights, parameter);

    public Tensor Gradient(int parameter) => View(buffers[kinds[parameter]].Gradients, parameter);

    public void Dispose()
    {
        foreach (Buffers b in buffers.Values)
        {
            b.Weights.Dispose();
            b.Gradients.Dispose();
        }
    }

    private Tensor View(Tensor all, int i)
    {
        using Tensor row = all.narrow(0, offsets[i], parameters[i].numel());
        return row.view(parameters[i].shape);
    }

    private static long Rounded(long count) => (count + Line - 1) / Line * Line;

    private static Tensor Zeros(long length, ScalarType type, Device device) => zeros(length, dtype: type, device: device).DetachFromDisposeScope();

    private sealed record Buffers(Tensor Weights, Tensor Gradients);

    /// <summary>A stretch of the numbers of a kind.</summary>
    internal readonly record struct Run(int Kind, long Start, long Length)
    {
        public Tensor Of(Tensor all) => all.narrow(0, Start, Length);
    }
}
