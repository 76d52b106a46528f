using ChemScale.Engine.Operators.Differentiation;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>An operation at a point, numbers in and numbers out, in the form that the mode chooses: what may be asked of any.</summary>
/// <param name="Inputs">Names of what goes in.</param>
/// <param name="At">The point, float64 where derivatives are checked; all are differentiated.</param>
/// <param name="Apply">From inputs to outputs.</param>
internal sealed record Operation(string[] Inputs, Tensor[] At, Func<Tensor[], Tensor[]> Apply)
{
    private const double Step = 1e-5, Tolerance = 1e-7;

    /// <summary>The gradients by the inputs, as an operation on these and on the gradients of the outputs.</summary>
    public Operation Gradient
    {
        get
        {
            Tensor[] outputs = [.. Apply(At).Select((t, i) => Normal(t, 70 + i))];
            return new Operation([.. Inputs, .. outputs.Select((_, i) => $"gradient of output {i}")], [.. At, .. outputs], all =>
            {
                Tensor[] inputs = [.. all[..At.Length].Select(Leaf)];
                IList<Tensor> gradients = Gradients.Of(Apply(inputs), inputs, all[At.Length..], true, true);
                return [.. gradients];
            });
        }
    }

    /// <summary>The Jacobian, every number of every output by every number of every input, against central differences.</summary>
    public void MatchesFiniteDifferences()
    {
        Tensor[] leaves = [.. At.Select(t => t.detach().clone().requires_grad_())], outputs = Apply(leaves);
        Tensor[] differences = [.. At.Select((_, i) => Differences(i))];
        double worst = 0;
        int row = 0;
        for (int o = 0; o < outputs.Length; o++)
        {
            for (long n = 0; n < outputs[o].numel(); n++, row++)
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor one = zeros(outputs[o].numel(), dtype: ScalarType.Float64);
                one.index_fill_(0, tensor(n), 1);
                IList<Tensor> slopes = outputs[o].requires_grad
                    ? Gradients.Of([outputs[o]], leaves, [one.view(outputs[o].shape)], retainGraph: true, allowUnused: true)
                    : new Tensor[leaves.Length];
                for (int i = 0; i < leaves.Length; i++)
                {
                    Tensor measured = differences[i].select(1, row);
                    Tensor slope = slopes[i] is { IsInvalid: false } s ? s.reshape(-1) : zeros_like(measured);
                    double error = measured.numel() == 0 ? 0 : ((slope - measured).abs() / (1 + measured.abs())).max().item<double>();
                    // Not a constraint of less, which NaN passes.
                    Assert.That(error < Tolerance, $"number {n} of output {o} by {Inputs[i]}: off by {error:e2}");
                    worst = Math.Max(worst, error);
                }
            }
        }
        Expect.Above(row, 0);
        TestContext.Out.WriteLine($"{row} x {At.Sum(t => t.numel())} slopes, largest error {worst:e1}");
    }

    /// <summary>The same outputs and gradients, whichever input, or gradient of an output, is not contiguous.</summary>
    public void TakesStridedTensors()
    {
        Tensor[] plain = Everything(At, strided: false);
        for (int i = 0; i <= At.Length; i++)
        {
            Tensor[] found = Everything([.. At.Select((t, n) => n == i ? Strided(t) : t)], strided: i == At.Length);
            string name = i < At.Length ? Inputs[i] : "gradient";
            // Products of the library may differ in the last bits.
            for (int n = 0; n < plain.Length; n++)
                Expect.Close(found[n], plain[n], absolute: 1e-12, relative: 1e-12, message: $"result {n} from strided {name}");
        }
    }

    /// <summary>How often something is done again that must give the same bits: full warps have 64 threads, which meet differently each time.</summary>
    public static int Repeats(bool warps) => warps ? 50 : 250;

    /// <summary>Outputs, gradients and, where <paramref name="second"/>, gradients of these: the same bits in all repeats.</summary>
    public void RepeatsItself(bool second, bool warps = false)
    {
        Operation? gradient = second ? Gradient : null;
        int live = -1;
        Tensor[] once = All();
        for (int repeat = 0; repeat < Repeats(warps); repeat++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor[] again = All();
            for (int i = 0; i < once.Length; i++) Assert.That(again[i].Equals(once[i]), $"result {i} of repeat {repeat}");
            if (repeat == 0) live = AutogradFunction.LiveNodes;
            else Assert.That(AutogradFunction.LiveNodes, Is.EqualTo(live));
        }

        Tensor[] All() => gradient is null
            ? Everything(At, strided: false)
            : [.. Apply(At).Select(t => t.detach()), .. gradient.Everything(gradient.At, strided: false)];
    }

    /// <summary>The same numbers in another memory order, one column of two.</summary>
    public static Tensor Strided(Tensor t) => stack([t, t + 1], -1).select(-1, 0);

    /// <summary>Normal numbers that float32 holds exactly.</summary>
    public static Tensor Normal(Tensor like, int seed)
    {
        using Generator generator = new((ulong)seed);
        return randn(like.shape, dtype: ScalarType.Float32, generator: generator).to(like.dtype).to(like.device);
    }

    private static Tensor Leaf(Tensor t) => t.requires_grad ? t : t.detach().requires_grad_();

    /// <summary>(inputs, all outputs)</summary>
    private Tensor Differences(int input)
    {
        double[] values = [.. At[input].contiguous().data<double>()];
        if (values.Length == 0) return zeros(0, 0, dtype: ScalarType.Float64);
        return stack([.. values.Select((value, n) => (Shifted(n, value + Step) - Shifted(n, value - Step)) / (2 * Step))]);

        Tensor Shifted(int n, double value)
        {
            using DisposeScope scope = NewDisposeScope();
            double[] moved = [.. values];
            moved[n] = value;
            Tensor[] point = [.. At.Select((t, i) => i == input ? tensor(moved).view(t.shape) : t)];
            return cat([.. Apply(point).Select(t => t.detach().reshape(-1))]).MoveToOuterDisposeScope();
        }
    }

    private Tensor[] Everything(Tensor[] at, bool strided)
    {
        Tensor[] leaves = [.. at.Select(t => t.detach().requires_grad_())], outputs = Apply(leaves);
        int[] used = [.. Enumerable.Range(0, outputs.Length).Where(i => outputs[i].requires_grad)];
        Tensor[] gradients = [.. used.Select(i => Normal(outputs[i], 80 + i)).Select(g => strided ? Strided(g) : g)];
        IList<Tensor> by = Gradients.Of([.. used.Select(i => outputs[i])], leaves, gradients, allowUnused: true);
        return [.. outputs.Select(t => t.detach()), .. by.Where(t => t is { IsInvalid: false })];
    }
}
