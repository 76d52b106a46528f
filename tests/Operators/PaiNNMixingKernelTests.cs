using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.PaiNN;
using ChemScale.Engine.Operators.Runs;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The kernels of PaiNN's mixing against the composed forms: outputs, first and second derivatives.</summary>
public class PaiNNMixingKernelTests : OperatorFixture
{
    private const double Epsilon = 1e-2;

    [Test]
    public void Float64_kernels_agree_with_composed_forms([Values] bool update, [Values(1, 6, 8, 33)] int features,
        [Values(0, 1, 50)] int atoms) =>
        Agree(update, features, atoms);

    [Test]
    public void Full_warps_agree([Values] bool update, [Values(5, 8)] int features)
    {
        TestScope.Warps();
        Agree(update, features, 4);
    }

    [Test]
    public void Float32_errors_are_at_most_twice_the_composed_ones([Values] bool update)
    {
        Tensor[] single = [.. Inputs(update, 32, 100).Select(t => t.to(ScalarType.Float32))],
            wide = [.. single.Select(t => t.to(ScalarType.Float64))];
        Float32Errors.AtMostTwice(Names(update), Everything(OperatorMode.Kernels, update, single),
            Everything(OperatorMode.Composed, update, single), Everything(OperatorMode.Composed, update, wide));
    }

    [Test]
    public void Every_derivative_matches_finite_differences([Values] bool update, [Values(3, 4)] int features)
    {
        Kernels(update, features, 2).MatchesFiniteDifferences();
        Kernels(update, features, 2).Gradient.MatchesFiniteDifferences();
    }

    [Test]
    public void Strided_tensors_make_no_difference([Values] bool update)
    {
        Kernels(update, 4, 3).TakesStridedTensors();
        Kernels(update, 4, 3).Gradient.TakesStridedTensors();
    }

    [Test]
    public void Repeats_are_equal_to_the_last_bit([Values] bool update, [Values] bool warps)
    {
        if (warps) TestScope.Warps();
        Kernels(update, warps ? 4 : 8, warps ? 2 : 10, ScalarType.Float32).RepeatsItself(second: true, warps);
    }

    private static void Agree(bool update, int features, int atoms)
    {
        Tensor[] values = Inputs(update, features, atoms);
        IReadOnlyList<Tensor> kernels = Everything(OperatorMode.Kernels, update, values),
            composed = Everything(OperatorMode.Composed, update, values);
        IReadOnlyList<Tensor> terms = Everything(null, update, [.. values.Select(t => t.abs())]);
        AbsoluteTerms.Agree(Names(update), kernels, composed, terms);
    }

    private static string[] Names(bool update)
    {
        string[] inputs = update ? ["q", "mu", "context", "product", "mixed"] : ["mixed"];
        return ["first", "second", .. inputs.Select(n => "by " + n), .. inputs.Select(n => "second by " + n),
            "second by first gradient", "second by second gradient"];
    }

    private static Operation Kernels(bool update, int features, int atoms, ScalarType dtype = ScalarType.Float64)
    {
        TestScope.Mode(OperatorMode.Kernels);
        Tensor[] at = [.. Inputs(update, features, atoms)[..(update ? 5 : 1)].Select(t => t.to(dtype))];
        return new Operation(update ? ["q", "mu", "context", "product", "mixed"] : ["mixed"], at, inputs => Apply(update, inputs));
    }

    private static Tensor[] Apply(bool update, Tensor[] inputs)
    {
        (Tensor first, Tensor second) = update
            ? PaiNNUpdate.Apply(inputs[0], inputs[1], inputs[2], inputs[3], inputs[4])
            : PaiNNInvariants.Apply(inputs[0], Epsilon);
        return [first, second];
    }

    /// <summary>Sums of absolute terms, of absolute inputs.</summary>
    private static Tensor[] Absolute(bool update, Tensor[] inputs)
    {
        if (update) return Apply(update, inputs);
        long features = inputs[0].size(2) / 2;
        Tensor v = inputs[0].narrow(2, 0, features), w = inputs[0].narrow(2, features, features), squares = v.square().sum(1) + Epsilon;
        Tensor norm = squares.detach().sqrt();
        return [AbsoluteTerms.Function(squares, norm, 0.5 / norm, 0.25 / norm.pow(3)), (v * w).sum(1)];
    }

    /// <summary>The operation's inputs, the gradients of its two results, and cotangents of the gradients by the inputs.</summary>
    private static Tensor[] Inputs(bool update, int features, int atoms, int seed = 1)
    {
        using Generator generator = new((ulong)seed);
        Tensor mixed = Make(atoms, 3, 2 * features), h = Make(atoms, features);
        Tensor[] inputs = update ? [Make(atoms, features), Make(atoms, 3, features), Make(atoms, 3 * features), Make(atoms, features),
            mixed] : [mixed];
        return [.. inputs, h, update ? Make(atoms, 3, features) : Make(atoms, features), .. inputs.Select(t => Make(t.shape))];

        Tensor Make(params long[] shape) => randn(shape, dtype: ScalarType.Float64, generator: generator);
    }

    /// <summary>Two results, gradients by the inputs, and the gradients of those by the inputs and by the results' gradients.</summary>
    /// <param name="mode">null: sums of absolute terms, of absolute values</param>
    /// <param name="update">Which operation.</param>
    /// <param name="values">As made.</param>
    private static IReadOnlyList<Tensor> Everything(OperatorMode? mode, bool update, Tensor[] values)
    {
        TestScope.Mode(mode ?? OperatorMode.Composed);
        int inputs = update ? 5 : 1;
        Tensor[] leaves = [.. values.Take(inputs + 2).Select(t => t.clone().requires_grad_())];
        Tensor[] results = mode is null ? Absolute(update, leaves[..inputs]) : Apply(update, leaves[..inputs]);
        IList<Tensor> gradients = Gradients.Of(results, leaves[..inputs], leaves[inputs..], true, true);
        IList<Tensor> again = Gradients.Of([.. gradients], leaves, [.. values.Skip(inputs + 2)], allowUnused: true);
        return
        [
            .. results.Select(t => t.detach()), .. gradients.Select(g => g.detach()),
            .. again.Select((g, i) => g is { IsInvalid: false } ? g : zeros_like(leaves[i])),
        ];
    }
}
