using System.Numerics;
using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>A matrix, in blocks of outputs that are filled up to whole vectors each, with its bias.</summary>
/// <param name="Input">Place of W among the pass's inputs; that of its bias follows.</param>
/// <param name="Blocks">Blocks of outputs.</param>
/// <param name="RealOutputs">Outputs of a block as they are.</param>
/// <param name="RealInputs">Inputs as they are.</param>
/// <param name="Outputs">All, filled up.</param>
/// <param name="Inputs">Filled up.</param>
/// <param name="Forward">Where W' (inputs, outputs) lies among the packed weights.</param>
/// <param name="Backward">Where W (outputs, inputs) does.</param>
/// <param name="Bias">Where b (outputs) does; -1: none</param>
/// <param name="ByWeight">Where the gradient by W (outputs, inputs) lies in a share.</param>
/// <param name="ByBias">Where that by b does.</param>
internal sealed record SpookyDense(int Input, int Blocks, int RealOutputs, int RealInputs, int Outputs, int Inputs, long Forward, long Backward, long Bias,
    long ByWeight, long ByBias);

/// <summary>Rows of numbers, each filled up.</summary>
/// <param name="Input">Place among the pass's inputs.</param>
/// <param name="Rows">How many.</param>
/// <param name="Real">Numbers of a row as it is.</param>
/// <param name="Width">Numbers of a row, filled up.</param>
/// <param name="At">Where they lie among the packed weights.</param>
/// <param name="By">Where their gradient lies in a share.</param>
internal sealed record SpookyRows(int Input, int Rows, int Real, int Width, long At, long By);

/// <summary>a x / (1 + e^(-b x))</summary>
internal sealed record SpookySwish(SpookyRows Alpha, SpookyRows Beta);

/// <summary>y = x + W2 s2(W1 s1(x) + b1) + b2, and z = W3 s3(y) + b3 where there is a third.</summary>
internal sealed record SpookyPerceptron(
    SpookySwish Swish1, SpookyDense Dense1, SpookySwish Swish2, SpookyDense Dense2, SpookySwish? Swish3 = null, SpookyDense? Dense3 = null);

/// <summary>How charge or spin becomes features.</summary>
/// <param name="Signs">2 for charges, 1 for spins.</param>
/// <param name="Query">(F, F)</param>
/// <param name="Key">(F, signs): as (signs) rows of F</param>
/// <param name="Value">Likewise.</param>
/// <param name="Block">Without biases.</param>
internal sealed record SpookyElectronic(int Signs, SpookyDense Query, SpookyDense Key, SpookyDense Value, SpookyPerceptron Block);

/// <summary>An interaction module.</summary>
/// <param name="Before">The first residual block.</param>
/// <param name="Radial">(3 F, K) filters of s, p, d</param>
/// <param name="Own">From an atom's own features.</param>
/// <param name="Sources">s, p, d</param>
/// <param name="P">(2 F, F) two projections of vectors</param>
/// <param name="D">(2 F, F) of tensors</param>
/// <param name="Local">After invariants.</param>
/// <param name="Attention">Queries, keys, values.</param>
/// <param name="After">The last residual block.</param>
/// <param name="Output">To what modules add up to.</param>
/// <param name="Directions">Where the random directions (F, m) lie, times F^(-1/4); transposed (m, F) behind them.</param>
internal sealed record SpookyModule(SpookyPerceptron Before, SpookyFilter Radial, SpookyPerceptron Own, SpookyPerceptron[] Sources, SpookyDense P, SpookyDense D,
    SpookyPerceptron Local, SpookyPerceptron[] Attention, SpookyPerceptron After, SpookyPerceptron Output, long Directions);

/// <summary>Three matrices (F, K) as one.</summary>
/// <param name="Input">Place of the first.</param>
/// <param name="Forward">(K, 3 F)</param>
/// <param name="Backward">(3 F, K)</param>
/// <param name="ByWeight">(3 F, K)</param>
internal sealed record SpookyFilter(int Input, long Forward, long Backward, long ByWeight);

/// <summary>Where a network's weights lie, filled up to whole vectors and both ways round, and gradients by them.</summary>
internal sealed unsafe class SpookyNetLayout
{
    private readonly ParameterSums sums = new();
    private readonly int lanes;
    private readonly SpookyNetSettings settings;
    private readonly List<SpookyDense> matrices = [];
    private readonly List<SpookyRows> vectors = [];

    /// <param name="settings">What is no tensor.</param>
    /// <param name="inputs">Of the pass: as <see cref="SpookyNetEnergies"/> has them.</param>
    /// <param name="lanes">Of the vectors.</param>
    public SpookyNetLayout(SpookyNetSettings settings, Tensor?[] inputs, int lanes)
    {
        (this.settings, this.lanes) = (settings, lanes);
        (Features, RandomFeatures, RadialFunctions) = (Whole(settings.Features), Whole(settings.RandomFeatures), Whole(settings.RadialFunctions));
        int place = settings.Fixed, f = settings.Features;
        Elements = (int)inputs[place]!.size(0);
        int columns = (int)inputs[1]!.size(1);
        ElectronColumns = Whole(columns);
        Electrons = sums.ReserveTurned((long)Elements * ElectronColumns);
        Table = Rows(ref place, Elements, f);
        ElectronWeight = Dense(ref place, 1, f, columns, bias: false);
        Charge = Electronic(ref place, 2);
        Spin = Electronic(ref place, 1);
        Decay = Rows(ref place, 1, 1);
        Modules = new SpookyModule[settings.Interactions];
        for (int l = 0; l < Modules.Length; l++) Modules[l] = Module(ref place);
        Output = Rows(ref place, 2, f);
        Bias = Rows(ref place, Elements, 2);
        if (settings.Repulsion) Repulsion = [.. Enumerable.Range(0, 10).Select(_ => Rows(ref place, 1, 1))];
        if (place != inputs.Length) throw new ArgumentException($"{inputs.Length} inputs, not {place}");
    }

    /// <summary>F, filled up.</summary>
    public int Features { get; }

    /// <summary>m, filled up.</summary>
    public int RandomFeatures { get; }

    /// <summary>K, filled up.</summary>
    public int RadialFunctions { get; }

    public int Elements { get; }

    /// <summary>Where electrons (elements, columns) lie.</summary>
    public long Electrons { get; }

    public int ElectronColumns { get; }

    /// <summary>(elements, F): packed with what electrons add to it.</summary>
    public SpookyRows Table { get; }

    public SpookyDense ElectronWeight { get; }

    public SpookyElectronic Charge { get; }

    public SpookyElectronic Spin { get; }

    public SpookyRows Decay { get; }

    public SpookyModule[] Modules { get; }

    /// <summary>(2, F): energy, charge</summary>
    public SpookyRows Output { get; }

    /// <summary>(elements, 2)</summary>
    public SpookyRows Bias { get; }

    /// <summary>1 / length, power, four weights, four exponents; before softplus.</summary>
    public SpookyRows[] Repulsion { get; } = [];

    /// <summary>Numbers of the packed weights.</summary>
    public long Packed => sums.Turned;

    /// <summary>Numbers of a share.</summary>
    public long Share => sums.Numbers;

    public int Whole(int width) => (width + lanes - 1) / lanes * lanes;

    public void Pack<TLanes, T>(Tensor?[] inputs, T* packed)
        where TLanes : unmanaged, ILanes<TLanes, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint[] places = new nint[inputs.Length];
        for (int i = 0; i < places.Length; i++)
        {
            using var memory = new TensorMemory(inputs[i]);
            places[i] = memory.Address;
        }
        NativeMemory.Clear(packed, (nuint)(Packed * sizeof(T)));
        int f = settings.Features, k = settings.RadialFunctions, m = settings.RandomFeatures, columns = (int)inputs[1]!.size(1);
        foreach (SpookyRows rows in vectors) Copy((T*)places[rows.Input], rows.Rows, rows.Real, packed + rows.At, rows.Width);
        TorchThreads.For(matrices.Count, i =>
        {
            SpookyDense d = matrices[i];
            T* from = (T*)places[d.Input];
            int width = d.Outputs / d.Blocks;
            for (int b = 0; b < d.Blocks; b++, from += (long)d.RealOutputs * d.RealInputs)
            {
                Products<TLanes, T>.Transpose(d.RealOutputs, d.RealInputs, from, d.RealInputs, packed + d.Forward + b * width, d.Outputs);
                Copy(from, d.RealOutputs, d.RealInputs, packed + d.Backward + (long)b * width * d.Inputs, d.Inputs);
            }
            if (d.Bias >= 0) Copy((T*)places[d.Input + 1], d.Blocks, d.RealOutputs, packed + d.Bias, width);
        });
        T scale = T.CreateTruncating(Math.Pow(f, -0.25));
        for (int l = 0; l < Modules.Length; l++)
        {
            SpookyModule module = Modules[l];
            for (int order = 0; order < 3; order++)
            {
                T* from = (T*)places[module.Radial.Input + order];
                Products<TLanes, T>.Transpose(f, k, from, k, packed + module.Radial.Forward + order * Features, 3 * Features);
                Copy(from, f, k, packed + module.Radial.Backward + (long)order * Features * RadialFunctions, RadialFunctions);
            }
            T* directions = packed + module.Directions;
            Copy((T*)places[2 + l], f, m, directions, RandomFeatures);
            long count = (long)Features * RandomFeatures;
            for (long i = 0; i < count; i++) directions[i] *= scale;
            Products<TLanes, T>.Transpose(Features, RandomFeatures, directions, RandomFeatures, directions + count, Features);
        }
        Copy((T*)places[1], Elements, columns, packed + Electrons, ElectronColumns);
        Products<TLanes, T>.Multiply(Elements, Features, ElectronColumns, packed + Electrons, ElectronColumns, packed + ElectronWeight.Forward, Features,
            packed + Table.At, Features, add: true);
        GC.KeepAlive(inputs);
    }

    /// <summary>Gradients by inputs, summed over shares in their order.</summary>
    public void Gather<TLanes, T>(T* shares, int count, Tensor?[] inputs, Tensor?[] results)
        where TLanes : unmanaged, ILanes<TLanes, T>
        where T : unmanaged, IFloatingPointIeee754<T> => sums.Gather<TLanes, T>(shares, count, inputs, results);

    private static void Copy<T>(T* from, int rows, int columns, T* to, int stride)
        where T : unmanaged
    {
        for (int r = 0; r < rows; r++) new ReadOnlySpan<T>(from + (long)r * columns, columns).CopyTo(new Span<T>(to + (long)r * stride, columns));
    }

    private SpookyRows Rows(ref int place, int rows, int real)
    {
        int width = Whole(real);
        var made = new SpookyRows(place, rows, real, width, sums.ReserveTurned((long)rows * width), sums.Reserve((long)rows * width));
        sums.Assign(place++, made.By, width, rows, real);
        vectors.Add(made);
        return made;
    }

    private SpookyDense Dense(ref int place, int blocks, int outputs, int inputs, bool bias = true)
    {
        int width = Whole(outputs), n = blocks * width, k = Whole(inputs);
        var made = new SpookyDense(place, blocks, outputs, inputs, n, k, sums.ReserveTurned((long)n * k), sums.ReserveTurned((long)n * k), bias ? sums.ReserveTurned(n) : -1,
            sums.Reserve((long)n * k), bias ? sums.Reserve(n) : 0);
        for (int b = 0; b < blocks; b++) sums.Assign(place, made.ByWeight + (long)b * width * k, k, outputs, inputs, (long)b * outputs * inputs);
        place++;
        if (bias) sums.Assign(place++, made.ByBias, width, blocks, outputs);
        matrices.Add(made);
        return made;
    }

    private SpookySwish Swish(ref int place) => new(Rows(ref place, 1, settings.Features), Rows(ref place, 1, settings.Features));

    private SpookyPerceptron Perceptron(ref int place, bool third = true, bool bias = true)
    {
        int f = settings.Features;
        SpookySwish swish1 = Swish(ref place);
        SpookyDense dense1 = Dense(ref place, 1, f, f, bias);
        SpookySwish swish2 = Swish(ref place);
        SpookyDense dense2 = Dense(ref place, 1, f, f, bias);
        return third ? new(swish1, dense1, swish2, dense2, Swish(ref place), Dense(ref place, 1, f, f, bias)) : new(swish1, dense1, swish2, dense2);
    }

    private SpookyElectronic Electronic(ref int place, int signs)
    {
        int f = settings.Features;
        return new(signs, Dense(ref place, 1, f, f), Dense(ref place, 1, f, signs, bias: false), Dense(ref place, 1, f, signs, bias: false),
            Perceptron(ref place, bias: false));
    }

    private SpookyModule Module(ref int place)
    {
        int f = settings.Features;
        SpookyPerceptron before = Perceptron(ref place, third: false);
        long filter = 3L * Features * RadialFunctions, by = sums.Reserve(filter);
        var radial = new SpookyFilter(place, sums.ReserveTurned(filter), sums.ReserveTurned(filter), by);
        for (int order = 0; order < 3; order++)
            sums.Assign(place++, by + (long)order * Features * RadialFunctions, RadialFunctions, f, settings.RadialFunctions);
        SpookyPerceptron own = Perceptron(ref place);
        SpookyPerceptron[] sources = [Perceptron(ref place), Perceptron(ref place), Perceptron(ref place)];
        SpookyDense p = Dense(ref place, 2, f, f, bias: false), d = Dense(ref place, 2, f, f, bias: false);
        SpookyPerceptron local = Perceptron(ref place);
        SpookyPerceptron[] attention = [Perceptron(ref place), Perceptron(ref place), Perceptron(ref place)];
        return new(before, radial, own, sources, p, d, local, attention, Perceptron(ref place, third: false), Perceptron(ref place),
            sums.ReserveTurned(2L * Features * RandomFeatures));
    }
}
