using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SchNet;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>A continuous-filter convolution with random values on a random graph.</summary>
internal sealed class FilterProblem : IDisposable
{
    public static readonly string[] Names = ["h", "phi", "f", "W1", "b1", "W2", "b2", "g"];

    private readonly int[] degrees;

    /// <param name="degrees">Edges that each atom receives.</param>
    /// <param name="filters">N</param>
    /// <param name="radial">K</param>
    public FilterProblem(int[] degrees, int filters, int radial)
    {
        using Generator generator = new(3);
        int atoms = degrees.Length, edges = degrees.Sum();
        this.degrees = degrees;
        Edges = Graph(degrees);
        double spread = 1 / Math.Sqrt(filters);
        Inputs =
        [
            Values(atoms, filters), Values(edges, radial), rand(edges, 1, dtype: ScalarType.Float64, generator: generator),
            Values(filters, radial), Values(filters), Values(filters, filters) * spread, Values(filters),
        ];
        Gradient = Values(atoms, filters);

        Tensor Values(params long[] shape) => randn(shape, dtype: ScalarType.Float64, generator: generator);
    }

    private FilterProblem(int[] degrees, Tensor[] inputs, Tensor gradient)
    {
        this.degrees = degrees;
        Edges = Graph(degrees);
        Inputs = inputs;
        Gradient = gradient;
    }

    public EdgeList Edges { get; }

    /// <summary>h, phi, f, W1, b1, W2, b2</summary>
    public Tensor[] Inputs { get; }

    /// <summary>g</summary>
    public Tensor Gradient { get; }

    public static string Label(int i) => i switch
    {
        0 => "output",
        <= 7 => "first by " + Names[i - 1],
        <= 15 => "second by " + Names[i - 8],
        <= 23 => "second, along f alone, by " + Names[i - 16],
        _ => "second, along all, by " + Names[i - 24],
    };

    public FilterProblem To(ScalarType dtype) => new(degrees, [.. Inputs.Select(t => t.to(dtype))], Gradient.to(dtype));

    /// <summary>In kernels, as an operation.</summary>
    public Operation Kernels()
    {
        TestScope.Mode(OperatorMode.Kernels);
        return new Operation(Names[..7], Inputs, x => [Apply(x)]);
    }

    public Tensor Apply(Tensor[] x) => ContinuousFilter.Apply(
        x[0], new EdgeFeatures(Edges, Edges.OneWay, null!, null!, null!, x[1], x[2]), x[3], x[4], x[5], x[6]);

    /// <summary>
    /// The output; the gradients of its product with g, by the seven inputs; then gradients by inputs and g of a random sum of the first
    /// three of these, of the third, and of all. Training on forces needs only the first of the three.
    /// </summary>
    /// <param name="mode">null: the sums of absolute terms</param>
    public Tensor[] Everything(OperatorMode? mode)
    {
        TestScope.Mode(mode ?? OperatorMode.Composed);
        using DisposeScope scope = NewDisposeScope();
        Tensor[] leaves = [.. Inputs.Append(Gradient).Select(t => Signed(t).clone().requires_grad_())];
        Tensor output = mode is null ? Absolute(leaves) : Apply(leaves[..7]);
        IList<Tensor> first = Gradients.Of([output], leaves[..7], [leaves[7]], retainGraph: true, createGraph: true);
        Tensor[] along = [.. Directions(Inputs, 9).Select(Signed)];
        Tensor[] results = [output, .. first, .. Second(0..3), .. Second(2..3), .. Second(0..7)];
        return [.. results.Select(t => t.detach().MoveToOuterDisposeScope())];

        IEnumerable<Tensor> Second(Range range) =>
            Gradients.Of([.. first.Take(range)], leaves, [.. along.Take(range)], retainGraph: true, allowUnused: true)
                .Select((t, i) => t is { IsInvalid: false } ? t : zeros_like(leaves[i])).ToArray();

        Tensor Signed(Tensor t) => mode is null ? t.abs() : t;
    }

    public void Dispose() => Edges.Dispose();

    private Tensor Absolute(Tensor[] x)
    {
        Tensor s = nn.functional.linear(Inputs[1], Inputs[3], Inputs[4]), slope = s.sigmoid();
        Tensor hidden = AbsoluteTerms.Function(
            nn.functional.linear(x[1], x[3], x[4]), ShiftedSoftplus.Apply(s).abs(), slope, slope * (1 - slope));
        Tensor filter = nn.functional.linear(hidden, x[5], x[6]) * x[2];
        return ReceiverSum.Apply(SenderRows.Apply(x[0], Edges.OneWay) * filter, Edges.OneWay);
    }

    private static Tensor[] Directions(Tensor[] like, int seed)
    {
        using Generator generator = new((ulong)seed);
        return [.. like.Select(t => randn(t.shape, dtype: ScalarType.Float64, generator: generator).to(t.dtype))];
    }

    private static EdgeList Graph(int[] degrees)
    {
        var random = new Random(7);
        int[] rowStarts = [0, .. degrees.Select((_, i) => degrees[..(i + 1)].Sum())];
        // The last atom but one sends nothing.
        int[] drawn = [.. Enumerable.Range(0, degrees.Sum()).Select(_ => random.Next(degrees.Length))];
        int[] senders = [.. drawn.Select(j => j == degrees.Length - 2 ? 0 : j)];
        return new EdgeList(rowStarts, senders);
    }
}
