using System.Numerics;
using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>A language model's weights laid out once, as decoding's products read them, in memory of their own.</summary>
internal sealed unsafe class DecodingWeights<TLanes, T> : IDisposable
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly double scoreScale;
    private void* memory;

    public DecodingWeights(DecodingModel model)
    {
        (Heads, scoreScale) = (model.Heads, model.ScoreScale);
        (Width, Inner) = ((int)model.Tokens.size(1), (int)model.Layers[0].Expand.size(0));
        (Vocabulary, Positions) = ((int)model.Tokens.size(0), (int)model.Places.size(0));
        HeadWidth = Width / Heads;
        int lanes = TLanes.Count, h = Width, n = Inner;
        // A lane per head, or heads of whole vectors: whichever leaves fewer lanes idle.
        HasLanes = (long)Whole(Heads) * HeadWidth <= (long)Heads * Whole(HeadWidth);
        int width = CacheWidth = HasLanes ? Whole(Heads) * HeadWidth : Heads * Whole(HeadWidth);
        Columns = Whole(Vocabulary);
        Reach = model.Windows.Max();

        long each = Rounded(3L * h * width) + Rounded((long)h * width) + 2 * Rounded((long)h * n) + 6 * Rounded(h) + Rounded(n);
        long numbers = model.Layers.Count * each + Rounded((long)h * Columns) + 2 * Rounded(h) + Rounded(model.Tokens.numel()) + Rounded(model.Places.numel());
        memory = NativeMemory.AlignedAlloc((nuint)(numbers * sizeof(T)), 64);
        NativeMemory.Clear(memory, (nuint)(numbers * sizeof(T)));
        T* next = (T*)memory;
        T* Take(long count)
        {
            T* piece = next;
            next += Rounded(count);
            return piece;
        }
        T epsilon = T.CreateChecked(model.Epsilon);
        Layers = new DecodingLayer<T>[model.Layers.Count];
        for (int l = 0; l < Layers.Length; l++)
        {
            BlockWeights w = model.Layers[l];
            int kind = model.Windows[l] > 0 ? DecodingPages.Local : DecodingPages.Global;
            var layer = Layers[l] = new DecodingLayer<T>
            {
                Norm1 = new NormWeights<T>(Take(h), Take(h), epsilon),
                Norm2 = new NormWeights<T>(Take(h), Take(h), epsilon),
                QueryKeyValue = Take(3L * h * width),
                Projection = Take((long)h * width),
                ProjectionBias = Take(h),
                Expand = Take((long)h * n),
                ExpandBias = Take(n),
                Contract = Take((long)n * h),
                ContractBias = Take(h),
                Window = model.Windows[l],
                Kind = kind,
                Offset = 2L * DecodingPages.Tokens * width * LayersOf[kind]++,
            };
            Copy(w.Norm1Weight, layer.Norm1.Weight);
            Copy(w.Norm1Bias, layer.Norm1.Bias);
            Copy(w.Norm2Weight, layer.Norm2.Weight);
            Copy(w.Norm2Bias, layer.Norm2.Bias);
            PlacedColumns(w.QueryKeyValue, layer.QueryKeyValue);
            PlacedRows(w.Projection, layer.Projection);
            Copy(w.ProjectionBias, layer.ProjectionBias);
            Transposed(w.Expand, layer.Expand, n);
            Copy(w.ExpandBias, layer.ExpandBias);
            Transposed(w.Contract, layer.Contract, h);
            Copy(w.ContractBias, layer.ContractBias);
        }
        FinalNorm = new NormWeights<T>(Take(h), Take(h), epsilon);
        Copy(model.NormWeight, FinalNorm.Weight);
        Copy(model.NormBias, FinalNorm.Bias);
        Table = Take(model.Tokens.numel());
        Copy(model.Tokens, Table);
        Places = Take(model.Places.numel());
        Copy(model.Places, Places);
        Scoring = Take((long)h * Columns);
        Transposed(model.Tokens, Scoring, Columns);
        if (model.LogitScale == 1) return;
        T factor = T.CreateChecked(model.LogitScale);
        for (long i = 0; i < (long)h * Columns; i++) Scoring[i] *= factor;

        int Whole(int count) => (count + lanes - 1) / lanes * lanes;
    }

    /// <summary>h</summary>
    public int Width { get; }

    /// <summary>n</summary>
    public int Inner { get; }

    public int Heads { get; }

    /// <summary>d</summary>
    public int HeadWidth { get; }

    /// <summary>Of queries, keys and values, idle lanes included.</summary>
    public int CacheWidth { get; }

    /// <summary>Of the scores: the vocabulary in whole vectors.</summary>
    public int Columns { get; }

    public int Vocabulary { get; }

    public int Positions { get; }

    /// <summary>The widest window.</summary>
    public int Reach { get; }

    /// <summary>Whether heads are lanes.</summary>
    public bool HasLanes { get; }

    public DecodingLayer<T>[] Layers { get; }

    /// <summary>By kind, how many.</summary>
    public int[] LayersOf { get; } = new int[2];

    public NormWeights<T> FinalNorm { get; }

    /// <summary>(V, h)</summary>
    public T* Table { get; }

    /// <summary>(P, h)</summary>
    public T* Places { get; }

    /// <summary>(h, columns)</summary>
    public T* Scoring { get; }

    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
    }

    private static long Rounded(long count) => BlockParts.Rounded(count);

    private static void Copy(Tensor from, T* to)
    {
        using TensorMemory memory = new(from);
        new ReadOnlySpan<T>((void*)memory.Address, (int)from.numel()).CopyTo(new Span<T>(to, (int)from.numel()));
    }

    private static void Transposed(Tensor matrix, T* to, int stride)
    {
        using TensorMemory memory = new(matrix);
        int rows = (int)matrix.size(0), inner = (int)matrix.size(1);
        Products<TLanes, T>.Transpose(rows, inner, (T*)memory.Address, inner, to, stride);
    }

    /// <summary>Where a feature of queries, keys, values and attention goes.</summary>
    private int Place(int feature)
    {
        int head = feature / HeadWidth, c = feature % HeadWidth, lanes = TLanes.Count;
        return HasLanes ? (head / lanes * HeadWidth + c) * lanes + head % lanes : head * (CacheWidth / Heads) + c;
    }

    /// <summary>(h, 3 width) of (3 h, h); queries are scaled, for powers of two.</summary>
    private void PlacedColumns(Tensor matrix, T* to)
    {
        using TensorMemory memory = new(matrix);
        T* from = (T*)memory.Address;
        T scale = T.CreateChecked(scoreScale * 1.4426950408889634); // log2 e
        for (int row = 0; row < 3 * Width; row++)
        {
            int part = row / Width, column = part * CacheWidth + Place(row % Width);
            for (int c = 0; c < Width; c++)
            {
                T value = from[(long)row * Width + c];
                to[3L * c * CacheWidth + column] = part == 0 ? value * scale : value;
            }
        }
    }

    /// <summary>(width, h) of (h, h).</summary>
    private void PlacedRows(Tensor matrix, T* to)
    {
        using TensorMemory memory = new(matrix);
        T* from = (T*)memory.Address;
        for (int c = 0; c < Width; c++)
        {
            T* row = to + (long)Place(c) * Width;
            for (int r = 0; r < Width; r++) row[r] = from[(long)r * Width + c];
        }
    }
}

/// <summary>One layer of them.</summary>
internal sealed unsafe class DecodingLayer<T>
    where T : unmanaged
{
    public NormWeights<T> Norm1 { get; init; }

    public NormWeights<T> Norm2 { get; init; }

    public T* QueryKeyValue { get; init; }

    public T* Projection { get; init; }

    public T* ProjectionBias { get; init; }

    public T* Expand { get; init; }

    public T* ExpandBias { get; init; }

    public T* Contract { get; init; }

    public T* ContractBias { get; init; }

    /// <summary>0: none.</summary>
    public int Window { get; init; }

    public int Kind { get; init; }

    /// <summary>Of its keys in a page of its kind; its values are a page's rows further.</summary>
    public long Offset { get; init; }
}

/// <summary>What decoding works with. Tensors stay the caller's, and as they are.</summary>
/// <param name="Tokens">(V, h); also what scores are made by.</param>
/// <param name="Places">(P, h)</param>
/// <param name="Layers">In their order.</param>
/// <param name="Windows">Of the layers; 0: unlimited.</param>
/// <param name="NormWeight">(h), of the final norm.</param>
/// <param name="NormBias">(h)</param>
/// <param name="Heads">Divides h.</param>
/// <param name="ScoreScale">Factor on attention's scores.</param>
/// <param name="LogitScale">Factor on the scores of the next token.</param>
/// <param name="Epsilon">Of the norms.</param>
internal sealed record DecodingModel(Tensor Tokens, Tensor Places, IReadOnlyList<BlockWeights> Layers, IReadOnlyList<int> Windows, Tensor NormWeight,
    Tensor NormBias, int Heads, double ScoreScale, double LogitScale, double Epsilon)
{
    // Wider models read their weights from memory at every step: there all threads should share each product.
    internal const int WidestOfUse = 256;

    /// <summary>Whether there is such a pass: as for a layer's.</summary>
    public bool HasPasses => TransformerStackHost.Has(Heads, Layers[0], Tokens);

    public bool Pays => Tokens.size(1) <= WidestOfUse;
}
