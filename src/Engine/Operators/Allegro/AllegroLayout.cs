using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Engine.Operators.Runs;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>
/// Where Allegro's matrices lie once they are laid out for products: scaled, orders and paths outside and channels inside, widths filled up to whole
/// vectors by zeros, both ways round. The last matrix of the last latent perceptron and those of the energy are linear, and so one vector.
/// </summary>
internal sealed unsafe class AllegroLayout
{
    private readonly List<PackedMatrix> matrices = [];
    private readonly PackedMatrix[] energy;
    private readonly int lanes;
    private long packed, share, derived;

    /// <param name="settings">What is no tensor.</param>
    /// <param name="inputs">As <see cref="AllegroEnergies"/> has them.</param>
    /// <param name="lanes">Numbers of a vector.</param>
    public AllegroLayout(AllegroSettings settings, Tensor?[] inputs, int lanes)
    {
        this.lanes = lanes;
        double[] norms = Numbers(inputs[3]!), shares = [.. Numbers(inputs[4]!).Select(u => 1 / (1 + Math.Exp(-u)))];
        double gain = Numbers(inputs[5]!)[0];
        Kept = [.. shares.Select(a => 1 / Math.Sqrt(a * a + 1))];
        Added = [.. shares.Zip(Kept, (a, k) => a * k)];
        (Mean, InverseDeviation, Frequencies) = (Numbers(inputs[1]!), Numbers(inputs[2]!), Numbers(inputs[6]!));
        ByFrequencies = Reserve(ref share, Frequencies.Length);

        int at = AllegroSettings.Fixed + 1, u = settings.Features, orders = settings.Orders, z = settings.Elements, k = Frequencies.Length;
        Channels = Whole(u);
        int Size(int input, int dimension) => (int)inputs[input]!.size(dimension);
        double scale = 1 / Math.Sqrt(Size(at, 0));
        int hidden = Size(at, 1);
        Tables = Add(2 * z, Whole(hidden), [new Piece(at, 0, scale, Run.Of(2 * z, hidden), Run.Of(hidden, 1))], turned: false);
        PackedMatrix radial = Add(Whole(k), Whole(hidden), [new Piece(at, 2L * z * hidden, scale, Run.Of(k, hidden), Run.Of(hidden, 1))]);
        TwoBody = new Perceptron(radial, Rest(ref at, settings.TwoBodyMatrices));
        int d = TwoBody.Rest.Length > 0 ? Size(at - 1, 1) : hidden;
        Latent = Whole(d);
        Layers = new AllegroLayerLayout[settings.Layers];
        for (int t = 0; t < Layers.Length; t++)
        {
            bool last = t + 1 == Layers.Length;
            AllegroProduct product = settings.Products[t];
            int sets = t == 0 ? 2 : 1, paths = product.Outputs[0].Paths;
            double weightScale = 1 / Math.Sqrt(d);
            PackedMatrix weights = Add(Latent, sets * orders * Channels, [.. Enumerable.Range(0, sets).Select(set => new Piece(
                at, (long)set * u * orders, weightScale * (set == sets - 1 ? norms[t] : 1), Run.Of(d, (long)sets * u * orders), new Run(orders, u, Channels, 1, orders),
                Column: set * orders * Channels))]);
            at++;
            var mixing = new PackedMatrix[last ? 0 : product.Outputs.Count];
            long from = 0;
            for (int o = 0; o < mixing.Length; o++)
            {
                int n = product.Outputs[o].Paths;
                mixing[o] = Add(n * Channels, Channels,
                    [new Piece(at, from, 1 / Math.Sqrt(u * n), new Run(n, u, Channels, 1, n), Run.Of(u, (long)u * n))]);
                from += (long)u * u * n;
            }
            if (!last) at++;
            int inner = Size(at, 1);
            double latentScale = 1 / Math.Sqrt(Size(at, 0));
            PackedMatrix first = Add(Latent + paths * Channels, Whole(inner),
            [
                new Piece(at, 0, latentScale, Run.Of(d, inner), Run.Of(inner, 1)),
                new Piece(at, (long)d * inner, latentScale, new Run(paths, u, Channels, inner, (long)paths * inner), Run.Of(inner, 1), Row: Latent),
            ], derived: last && settings.LatentMatrices == 1);
            Layers[t] = new AllegroLayerLayout(weights, mixing, new Perceptron(first, Rest(ref at, settings.LatentMatrices, last)), paths);
        }
        energy = new PackedMatrix[settings.EnergyMatrices];
        for (int i = 0; i < energy.Length; i++, at++)
        {
            int rows = Size(at, 0), columns = Size(at, 1);
            energy[i] = Add(Whole(rows), Whole(columns), [new Piece(at, 0, 1 / Math.Sqrt(rows), Run.Of(rows, columns), Run.Of(columns, 1))], derived: true);
        }
        PackedMatrix output = Layers[^1].Latent.Output;
        (Energy, Output) = (Reserve(ref packed, Latent), Reserve(ref packed, output.Inputs));
        (ByEnergy, ByOutput) = (Reserve(ref share, Latent), Reserve(ref share, output.Inputs));

        PackedMatrix[] Rest(ref int place, int count, bool last = false)
        {
            place++;
            var rest = new PackedMatrix[count - 1];
            for (int i = 0; i < rest.Length; i++, place++)
            {
                int rows = Size(place, 0), columns = Size(place, 1);
                rest[i] = Add(Whole(rows), Whole(columns), [new Piece(place, 0, gain / Math.Sqrt(rows), Run.Of(rows, columns), Run.Of(columns, 1))],
                    derived: last && i == rest.Length - 1);
            }
            return rest;
        }
    }

    /// <summary>Numbers of the weights that are laid out.</summary>
    public long Packed => packed;

    /// <summary>Numbers of a share: gradients by them.</summary>
    public long Share => share;

    public double[] Mean { get; }

    public double[] InverseDeviation { get; }

    /// <summary>(K)</summary>
    public double[] Frequencies { get; }

    /// <summary>In a share.</summary>
    public long ByFrequencies { get; }

    /// <summary>(layers) what latent features are multiplied with, and what is added to them.</summary>
    public double[] Kept { get; }

    /// <summary>See <see cref="Kept"/>.</summary>
    public double[] Added { get; }

    /// <summary>U, filled up.</summary>
    public int Channels { get; }

    /// <summary>D, filled up.</summary>
    public int Latent { get; }

    /// <summary>(2 Z, H) rows of receivers, then of senders</summary>
    public PackedMatrix Tables { get; }

    /// <summary>Its first matrix is that of the radial functions.</summary>
    public Perceptron TwoBody { get; }

    public AllegroLayerLayout[] Layers { get; }

    /// <summary>c (D): the energy's matrices, multiplied out.</summary>
    public long Energy { get; }

    /// <summary>q: the output matrix of the last latent perceptron times c.</summary>
    public long Output { get; }

    public long ByEnergy { get; }

    public long ByOutput { get; }

    public int Whole(int width) => (width + lanes - 1) / lanes * lanes;

    /// <summary>Lays the weights out.</summary>
    public void Pack<TLanes, T>(Tensor?[] inputs, T* to)
        where TLanes : unmanaged, ILanes<TLanes, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        NativeMemory.Clear(to, (nuint)packed * (nuint)sizeof(T));
        foreach (PackedMatrix m in matrices)
        {
            foreach (Piece piece in m.Pieces)
            {
                using var memory = new TensorMemory(inputs[piece.Input]);
                Copy((T*)memory.Address, piece, to + m.Forward, m.Outputs);
            }
            if (m.Backward >= 0) Products<TLanes, T>.Transpose(m.Inputs, m.Outputs, to + m.Forward, m.Outputs, to + m.Backward, m.Inputs);
        }
        // From the last to the first: each partial product is a column.
        T[] column = Product(energy[^1], to, null);
        for (int i = energy.Length - 2; i >= 0; i--) column = Product(energy[i], to, column);
        column.CopyTo(new Span<T>(to + Energy, Latent));
        Product(Layers[^1].Latent.Output, to, column).CopyTo(new Span<T>(to + Output, Layers[^1].Latent.Output.Inputs));
    }

    /// <summary>Gradients by the inputs: sums over shares, in their order, put where the trainer keeps them together, or in tensors.</summary>
    /// <param name="weights">As laid out.</param>
    /// <param name="shares">The first; each is as long as <see cref="Share"/>.</param>
    /// <param name="count">How many.</param>
    /// <param name="inputs">Of the pass.</param>
    /// <param name="results">Gradients by them; written where they want one that has no place elsewhere.</param>
    public void Gather<TLanes, T>(T* weights, T* shares, int count, Tensor?[] inputs, Tensor?[] results)
        where TLanes : unmanaged, ILanes<TLanes, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using Workspace workspace = Workspace.Rent(Workspace.Size<T>(share + derived));
        T* sums = workspace.Take<T>(share + derived);
        AddShares<TLanes, T>(shares, count, sums);
        Unfold(weights, sums);
        var places = new GradientPlace[inputs.Length];
        var targets = new nint[inputs.Length];
        for (int i = AllegroSettings.Fixed; i < inputs.Length; i++)
        {
            if (!inputs[i]!.requires_grad) continue;
            places[i] = RunScope.Current.PlaceOf(inputs[i]!);
            if (places[i].All is null) results[i] = empty_like(inputs[i]!);
            using var memory = new TensorMemory(results[i] ?? places[i].All);
            targets[i] = (nint)((T*)memory.Address + places[i].Offset);
        }
        Put(new Piece(AllegroSettings.Fixed, 0, 1, Run.Of(1, 1), Run.Of(Frequencies.Length, 1)), sums + ByFrequencies, Frequencies.Length);
        TorchThreads.For(matrices.Count, m =>
        {
            foreach (Piece piece in matrices[m].Pieces) Put(piece, sums + matrices[m].ByWeight + (matrices[m].IsDerived ? share : 0), matrices[m].Outputs);
        });
        GC.KeepAlive(inputs);
        GC.KeepAlive(results);
        GC.KeepAlive(places);

        void Put(Piece piece, T* from, int stride)
        {
            if (targets[piece.Input] == 0) return;
            T* target = (T*)targets[piece.Input];
            T scale = T.CreateTruncating(piece.Scale);
            bool add = places[piece.Input].Add;
            for (int r = 0; r < piece.Rows.Blocks * piece.Rows.Count; r++)
            {
                (long source, int row) = piece.Rows.At(r);
                for (int c = 0; c < piece.Columns.Blocks * piece.Columns.Count; c++)
                {
                    (long along, int column) = piece.Columns.At(c);
                    T value = scale * from[(long)(piece.Row + row) * stride + piece.Column + column];
                    T* to = target + piece.Source + source + along;
                    *to = add ? *to + value : value;
                }
            }
        }
    }

    private static void Copy<T>(T* source, Piece piece, T* to, int stride)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T scale = T.CreateTruncating(piece.Scale);
        for (int r = 0; r < piece.Rows.Blocks * piece.Rows.Count; r++)
        {
            (long from, int row) = piece.Rows.At(r);
            T* line = to + (long)(piece.Row + row) * stride + piece.Column;
            for (int c = 0; c < piece.Columns.Blocks * piece.Columns.Count; c++)
            {
                (long along, int column) = piece.Columns.At(c);
                line[column] = scale * source[piece.Source + from + along];
            }
        }
    }

    /// <summary>A matrix times a column; null: its first column.</summary>
    private static T[] Product<T>(PackedMatrix m, T* weights, T[]? column)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var product = new T[m.Inputs];
        for (int r = 0; r < product.Length; r++)
        {
            T* row = weights + m.Forward + (long)r * m.Outputs;
            double sum = column is null ? double.CreateTruncating(row[0]) : 0;
            for (int c = 0; column is not null && c < m.Outputs; c++) sum += double.CreateTruncating(row[c] * column[c]);
            product[r] = T.CreateTruncating(sum);
        }
        return product;
    }

    /// <summary>Gradients by the matrices that q and c were made of.</summary>
    private void Unfold<T>(T* weights, T* sums)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        PackedMatrix output = Layers[^1].Latent.Output;
        var after = new T[energy.Length + 1][];
        after[^1] = [T.One];
        for (int i = energy.Length - 1; i >= 0; i--) after[i] = Product(energy[i], weights, i == energy.Length - 1 ? null : after[i + 1]);
        T* byOutput = sums + ByOutput, byColumn = sums + ByEnergy;
        Outer(output, byOutput, after[0]);
        var by = new T[Latent];
        for (int c = 0; c < Latent; c++)
        {
            T sum = byColumn[c];
            for (int r = 0; r < output.Inputs; r++) sum += byOutput[r] * weights[output.Forward + (long)r * output.Outputs + c];
            by[c] = sum;
        }
        for (int i = 0; i < energy.Length; i++)
        {
            fixed (T* left = by) Outer(energy[i], left, after[i + 1]);
            var next = new T[energy[i].Outputs];
            for (int r = 0; r < energy[i].Inputs; r++)
                for (int c = 0; c < next.Length; c++) next[c] += by[r] * weights[energy[i].Forward + (long)r * energy[i].Outputs + c];
            by = next;
        }

        void Outer(PackedMatrix m, T* left, T[] right)
        {
            T* to = sums + share + m.ByWeight;
            for (int r = 0; r < m.Inputs; r++)
                for (int c = 0; c < m.Outputs; c++) to[(long)r * m.Outputs + c] = c < right.Length ? left[r] * right[c] : T.Zero;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddShares<TLanes, T>(T* shares, int count, T* to)
        where TLanes : unmanaged, ILanes<TLanes, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (long c = 0; c < share; c += TLanes.Count)
        {
            TLanes sum = TLanes.Load(shares + c);
            for (int s = 1; s < count; s++) sum += TLanes.Load(shares + s * share + c);
            TLanes.Store(to + c, sum);
        }
    }

    private PackedMatrix Add(int rows, int columns, Piece[] pieces, bool turned = true, bool derived = false)
    {
        long size = (long)rows * columns;
        long forward = Reserve(ref packed, size), backward = turned && !derived ? Reserve(ref packed, size) : -1;
        long byWeight = derived ? Reserve(ref this.derived, size) : Reserve(ref share, size);
        var matrix = new PackedMatrix(rows, columns, pieces, forward, backward, byWeight, derived);
        matrices.Add(matrix);
        return matrix;
    }

    private static long Reserve(ref long numbers, long count)
    {
        long at = numbers;
        numbers += (count + 15) / 16 * 16;
        return at;
    }

    private static double[] Numbers(Tensor values)
    {
        using Tensor wide = values.detach().to(ScalarType.Float64).contiguous();
        return [.. wide.data<double>()];
    }
}

/// <summary>A layer's matrices.</summary>
/// <param name="Weights">(D, sets (L + 1) U) of harmonics: in the first layer of features, then of environments.</param>
/// <param name="Mixing">Of each representation (paths U, U); none in the last layer.</param>
/// <param name="Latent">From latent features and scalars, (D + paths U).</param>
/// <param name="Scalars">Paths to scalars.</param>
internal sealed record AllegroLayerLayout(PackedMatrix Weights, PackedMatrix[] Mixing, Perceptron Latent, int Scalars);

/// <summary>Matrices with SiLU between them.</summary>
/// <param name="First">The first.</param>
/// <param name="Rest">The others.</param>
internal sealed record Perceptron(PackedMatrix First, PackedMatrix[] Rest)
{
    /// <summary>Hidden layers.</summary>
    public int Hidden => Rest.Length;

    public PackedMatrix Output => Rest.Length > 0 ? Rest[^1] : First;

    /// <summary>Of a hidden layer.</summary>
    public int Width(int layer) => layer == 0 ? First.Outputs : Rest[layer - 1].Outputs;
}

/// <summary>A matrix that is laid out.</summary>
/// <param name="Inputs">Rows.</param>
/// <param name="Outputs">Columns.</param>
/// <param name="Pieces">What it is made of.</param>
/// <param name="Forward">Where (inputs, outputs) lies.</param>
/// <param name="Backward">Where (outputs, inputs) lies; negative: nowhere.</param>
/// <param name="ByWeight">Where its gradient lies, in a share or behind their sum.</param>
/// <param name="IsDerived">Whether its gradient is made of other gradients in the end.</param>
internal sealed record PackedMatrix(int Inputs, int Outputs, Piece[] Pieces, long Forward, long Backward, long ByWeight, bool IsDerived);

/// <summary>Part of a matrix as it is kept, and where that goes.</summary>
/// <param name="Input">Which tensor.</param>
/// <param name="Source">Its first number there.</param>
/// <param name="Scale">A factor.</param>
/// <param name="Rows">Steps there, places here.</param>
/// <param name="Columns">Likewise.</param>
/// <param name="Row">The first.</param>
/// <param name="Column">The first.</param>
internal sealed record Piece(int Input, long Source, double Scale, Run Rows, Run Columns, int Row = 0, int Column = 0);

/// <summary>Blocks of rows or columns, each filled up to a width.</summary>
/// <param name="Blocks">How many.</param>
/// <param name="Count">In a block.</param>
/// <param name="Width">Of a block, filled up.</param>
/// <param name="BlockStep">From block to block, as it is kept.</param>
/// <param name="Step">Within a block, as it is kept.</param>
internal readonly record struct Run(int Blocks, int Count, int Width, long BlockStep, long Step)
{
    public static Run Of(int count, long step) => new(1, count, count, 0, step);

    public (long Source, int Place) At(int index)
    {
        int block = index / Count, inside = index % Count;
        return (block * BlockStep + inside * Step, block * Width + inside);
    }
}
