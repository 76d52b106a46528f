using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Engine.Operators.SpookyNet;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>One module: a residual block, local and nonlocal interactions, a residual block, and what it adds to the output features.</summary>
internal sealed class SpookyNetInteraction
{
    private readonly ResidualBlock before;
    private readonly LocalInteraction local;
    private readonly NonlocalInteraction nonlocal;
    private readonly ResidualBlock after;
    private readonly ResidualMlp output;

    public SpookyNetInteraction(ModulePath at, SpookyNetConfig config, ParameterInit init)
    {
        before = new ResidualBlock(at.At("residual_pre.stack.0"), config.Features, init);
        local = new LocalInteraction(at.At("local_interaction"), config.Features, config.RadialFunctions, init);
        nonlocal = new NonlocalInteraction(at.At("nonlocal_interaction"), config.Features, config.RandomFeatureCount, init);
        after = new ResidualBlock(at.At("residual_post.stack.0"), config.Features, init);
        output = new ResidualMlp(at.At("resblock"), config.Features, init);
    }

    /// <summary>As <see cref="SpookyNetEnergies"/> has them.</summary>
    public IEnumerable<Tensor> Weights => [.. before.Weights, .. local.Weights, .. nonlocal.Weights, .. after.Weights, .. output.Weights];

    /// <summary>(F, m)</summary>
    public Tensor Directions => nonlocal.Directions;

    public static long Count(long features, long radialFunctions) =>
        2 * ResidualBlock.Count(features) + LocalInteraction.Count(features, radialFunctions) + NonlocalInteraction.Count(features)
        + ResidualMlp.Count(features);

    /// <summary>Products, counting one each.</summary>
    public static FlopCount Flops(double features, double radialFunctions, double randomFeatures)
    {
        double square = features * features, block = 2 * square, perceptron = 3 * square;
        // Vectors have three components, tensors five, each with two projections; queries and keys become random features, which meet the values twice.
        double local = 5 * perceptron + (3 + 5) * 2 * square, nonlocal = 3 * perceptron + 4 * randomFeatures * features;
        return new FlopCount(2 * block + local + nonlocal + perceptron, 3 * radialFunctions * features + 3 * features + (1 + 3 + 5) * features);
    }

    /// <param name="x">(atoms, F)</param>
    /// <param name="edges">Those within the cutoff.</param>
    /// <param name="frameOfAtom">(atoms) int64</param>
    /// <param name="slots">The same frames.</param>
    /// <returns>(atoms, F) each: the atoms' new features, and the module's part of the output.</returns>
    public (Tensor Features, Tensor Output) Forward(Tensor x, in SpookyNetEdges edges, Tensor frameOfAtom, FrameSlots slots)
    {
        using DisposeScope scope = NewDisposeScope();
        x = before.Forward(x);
        x = after.Forward(x + local.Forward(x, edges) + nonlocal.Forward(x, frameOfAtom, slots));
        return (x.MoveToOuterDisposeScope(), output.Forward(x).MoveToOuterDisposeScope());
    }
}

/// <summary>
/// Messages of orders s, p, d from the neighbours, made invariant by products of two projections (Unke et al. 2021, equations 12 and 13).
/// </summary>
internal sealed class LocalInteraction
{
    private readonly Dense[] radial;
    private readonly ResidualMlp own;
    private readonly ResidualMlp[] sources;
    private readonly Dense projectionP;
    private readonly Dense projectionD;
    private readonly ResidualMlp output;

    public LocalInteraction(ModulePath at, int features, int radialFunctions, ParameterInit init)
    {
        string[] orders = ["s", "p", "d"];
        radial = [.. orders.Select(l => at.Add($"radial_{l}", new Dense(radialFunctions, features, init, bias: false)))];
        own = new ResidualMlp(at.At("resblock_x"), features, init);
        sources = [.. orders.Select(l => new ResidualMlp(at.At($"resblock_{l}"), features, init))];
        projectionP = at.Add("projection_p", new Dense(features, 2 * features, init, bias: false));
        projectionD = at.Add("projection_d", new Dense(features, 2 * features, init, bias: false));
        output = new ResidualMlp(at.At("resblock"), features, init);
    }

    public IEnumerable<Tensor> Weights =>
    [
        .. radial.Select(r => r.Weight), .. own.Weights, .. sources.SelectMany(s => s.Weights), projectionP.Weight, projectionD.Weight, .. output.Weights,
    ];

    public static long Count(long features, long radialFunctions) =>
        3 * Dense.Count(radialFunctions, features, bias: false) + 5 * ResidualMlp.Count(features) + 2 * Dense.Count(features, 2 * features, bias: false);

    /// <param name="x">(atoms, F)</param>
    /// <param name="edges">Those within the cutoff.</param>
    /// <returns>(atoms, F)</returns>
    public Tensor Forward(Tensor x, in SpookyNetEdges edges)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor filters = nn.functional.linear(edges.Radial, cat([.. radial.Select(r => r.Weight)], 0));
        Tensor sent = cat([.. sources.Select(s => s.Forward(x))], 1);
        Tensor gathered = LocalMessages.Apply(filters, sent, edges.Harmonics, edges.Senders, edges.Receivers);
        Tensor scalars = own.Forward(x) + gathered.select(1, 0);
        scalars = scalars + Invariant(gathered.narrow(1, 1, 3), projectionP) + Invariant(gathered.narrow(1, 4, 5), projectionD);
        return output.Forward(scalars).MoveToOuterDisposeScope();
    }

    private static Tensor Invariant(Tensor components, Dense projection)
    {
        Tensor projected = projection.Forward(components);
        long f = components.shape[2];
        return (projected.narrow(2, 0, f) * projected.narrow(2, f, f)).sum(1);
    }
}

/// <summary>Attention among all atoms of a frame, whatever their distance.</summary>
internal sealed class NonlocalInteraction
{
    private readonly Tensor omega;
    private readonly ResidualMlp query;
    private readonly ResidualMlp key;
    private readonly ResidualMlp value;

    /// <param name="at">Where its tensors go.</param>
    /// <param name="features">F</param>
    /// <param name="randomFeatures">m</param>
    /// <param name="init">Makes the parameters and the random directions.</param>
    public NonlocalInteraction(ModulePath at, int features, int randomFeatures, ParameterInit init)
    {
        query = new ResidualMlp(at.At("resblock_q"), features, init);
        key = new ResidualMlp(at.At("resblock_k"), features, init);
        value = new ResidualMlp(at.At("resblock_v"), features, init);
        omega = at.AddBuffer("attention.omega", OrthogonalDirections(features, randomFeatures, init));
    }

    public IEnumerable<Tensor> Weights => [.. query.Weights, .. key.Weights, .. value.Weights];

    /// <summary>(F, m)</summary>
    public Tensor Directions => omega;

    public static long Count(long features) => 3 * ResidualMlp.Count(features);

    /// <param name="x">(atoms, F)</param>
    /// <param name="frameOfAtom">(atoms) int64</param>
    /// <param name="slots">The same frames.</param>
    /// <returns>(atoms, F)</returns>
    public Tensor Forward(Tensor x, Tensor frameOfAtom, FrameSlots slots)
    {
        using DisposeScope scope = NewDisposeScope();
        return FrameAttention.Apply(query.Forward(x), key.Forward(x), value.Forward(x), omega, frameOfAtom, slots).MoveToOuterDisposeScope();
    }

    /// <summary>Normal directions made orthogonal in blocks of F, each with the length of a normal vector: less variance at equal cost.</summary>
    private static Tensor OrthogonalDirections(int features, int count, ParameterInit init)
    {
        using var gradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        var blocks = new List<Tensor>();
        for (int made = 0; made < count; made += features)
        {
            (Tensor q, Tensor _) = linalg.qr(init.Normal(features, features));
            Tensor lengths = init.Normal(features, features).norm(0, keepdim: true);
            blocks.Add((q * lengths).narrow(1, 0, Math.Min(features, count - made)));
        }
        // The columns of a decomposition come column by column.
        return cat(blocks, 1).contiguous().DetachFromDisposeScope();
    }
}

/// <summary>A <see cref="ResidualBlock"/>, an activation, a linear layer.</summary>
internal sealed class ResidualMlp
{
    private readonly ResidualBlock residual;
    private readonly SwishActivation activation;
    private readonly Dense linear;

    public ResidualMlp(ModulePath at, int features, ParameterInit init, bool bias = true)
    {
        residual = new ResidualBlock(at.At("residual.stack.0"), features, init, bias);
        activation = at.Add("activation", new SwishActivation(features, init));
        linear = at.Add("linear", new Dense(features, features, init, bias));
    }

    public IEnumerable<Tensor> Weights => [.. residual.Weights, .. activation.Weights, .. linear.Named("").Select(w => w.Weight)];

    public static long Count(long features, bool bias = true) =>
        ResidualBlock.Count(features, bias) + SwishActivation.Count(features) + Dense.Count(features, features, bias);

    /// <param name="x">(n, F)</param>
    /// <returns>(n, F)</returns>
    public Tensor Forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        return linear.Forward(activation.Forward(residual.Forward(x))).MoveToOuterDisposeScope();
    }
}

/// <summary>x + W2 s(W1 s(x) + b1) + b2, s a <see cref="SwishActivation"/>. W2 starts at zero: the block as the identity.</summary>
internal sealed class ResidualBlock
{
    private readonly SwishActivation activation1;
    private readonly Dense linear1;
    private readonly SwishActivation activation2;
    private readonly Dense linear2;

    public ResidualBlock(ModulePath at, int features, ParameterInit init, bool bias = true)
    {
        activation1 = at.Add("activation1", new SwishActivation(features, init));
        linear1 = at.Add("linear1", new Dense(features, features, init, bias));
        activation2 = at.Add("activation2", new SwishActivation(features, init));
        linear2 = at.Add("linear2", new Dense(features, features, init, bias));
        using (no_grad()) linear2.Weight.zero_();
    }

    public IEnumerable<Tensor> Weights =>
        [.. activation1.Weights, .. linear1.Named("").Select(w => w.Weight), .. activation2.Weights, .. linear2.Named("").Select(w => w.Weight)];

    public static long Count(long features, bool bias = true) => 2 * SwishActivation.Count(features) + 2 * Dense.Count(features, features, bias);

    /// <param name="x">(n, F)</param>
    /// <returns>(n, F)</returns>
    public Tensor Forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor inner = linear1.Forward(activation1.Forward(x));
        return (x + linear2.Forward(activation2.Forward(inner))).MoveToOuterDisposeScope();
    }
}

/// <summary>a x sigmoid(b x) with a and b learned for each feature; at first a = 1, b = 1.702, close to GELU (Unke et al. 2021).</summary>
internal sealed class SwishActivation : nn.Module
{
    private readonly Parameter alpha;
    private readonly Parameter beta;

    public SwishActivation(int features, ParameterInit init)
        : base(nameof(SwishActivation))
    {
        alpha = init.Constant(1, features);
        beta = init.Constant(1.702, features);
        register_parameter("alpha", alpha);
        register_parameter("beta", beta);
    }

    public IEnumerable<Tensor> Weights => [alpha, beta];

    public static long Count(long features) => 2 * features;

    /// <param name="x">(..., F)</param>
    /// <returns>(..., F)</returns>
    public Tensor Forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        return (alpha * x * (beta * x).sigmoid()).MoveToOuterDisposeScope();
    }
}
