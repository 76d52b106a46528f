using System.Numerics;
using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>The same on the CPU: rows are added in the tokens' order, by one thread, which takes less than to share them.</summary>
internal sealed unsafe class TokenEmbeddingHost : IOperationPasses
{
    private readonly Tensor ids, positions;
    private readonly long[] token, place;

    public TokenEmbeddingHost(Tensor ids, Tensor positions)
    {
        (this.ids, this.positions) = (ids, positions);
        (token, place) = (Values(ids), Values(positions));
    }

    public static bool Has(Tensor tokens, Tensor places) =>
        tokens.dtype is ScalarType.Float32 or ScalarType.Float64 && places.dtype == tokens.dtype && tokens.device_type == DeviceType.CPU;

    public Tensor?[] Composed(Tensor?[] inputs) => [TokenEmbeddingComposed.Apply(ids, positions, inputs[0]!, inputs[1]!)];

    public (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep)
    {
        Tensor tokens = inputs[0]!, places = inputs[1]!;
        Check(token, tokens.size(0), nameof(ids));
        Check(place, places.size(0), nameof(positions));
        Tensor x = empty(token.Length, tokens.size(1), dtype: tokens.dtype);
        using TensorMemory ofTokens = new(tokens), ofPlaces = new(places), ofX = new(x);
        int h = (int)tokens.size(1);
        if (tokens.dtype == ScalarType.Float32) Add((float*)ofTokens.Address, (float*)ofPlaces.Address, (float*)ofX.Address);
        else Add((double*)ofTokens.Address, (double*)ofPlaces.Address, (double*)ofX.Address);
        return ([x], []);

        void Add<T>(T* a, T* b, T* sum)
            where T : unmanaged, INumber<T>
        {
            for (int t = 0; t < token.Length; t++)
            {
                T* row = sum + (long)t * h;
                new ReadOnlySpan<T>(a + token[t] * h, h).CopyTo(new Span<T>(row, h));
                AddTo(b + place[t] * h, row, h);
            }
        }
    }

    public Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients)
    {
        Tensor gradient = gradients[0]!;
        using TensorMemory of = new(gradient);
        nint from = of.Address;
        return [By(inputs[0]!, token), By(inputs[1]!, place)];

        Tensor? By(Tensor table, long[] rows)
        {
            if (!table.requires_grad) return null;
            GradientPlace place = RunScope.Current.PlaceOf(table);
            Tensor? by = place.All is null ? empty_like(table) : null;
            using TensorMemory memory = new(by ?? place.All);
            if (table.dtype == ScalarType.Float32) AddRows((float*)from, (float*)memory.Address + place.Offset);
            else AddRows((double*)from, (double*)memory.Address + place.Offset);
            return by;

            void AddRows<T>(T* g, T* to)
                where T : unmanaged, INumber<T>
            {
                int h = (int)table.size(1);
                if (!place.Add) NativeMemory.Clear(to, (nuint)(table.numel() * sizeof(T)));
                for (int t = 0; t < rows.Length; t++) AddTo(g + (long)t * h, to + rows[t] * h, h);
            }
        }
    }

    private static void AddTo<T>(T* row, T* sum, int count)
        where T : unmanaged, INumber<T>
    {
        int i = 0;
        for (; i + Vector<T>.Count <= count; i += Vector<T>.Count) Vector.Store(Vector.Load(sum + i) + Vector.Load(row + i), sum + i);
        for (; i < count; i++) sum[i] += row[i];
    }

    private static long[] Values(Tensor indices) => indices.is_contiguous() ? [.. indices.data<long>()] : [.. indices.contiguous().data<long>()];

    private static void Check(long[] indices, long limit, string what)
    {
        foreach (long i in indices)
            if ((ulong)i >= (ulong)limit) throw new ArgumentOutOfRangeException(what, i, $"outside a table of {limit} rows");
    }
}
