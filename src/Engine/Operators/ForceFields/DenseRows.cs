using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.ForceFields;

/// <summary>A dense layer y = x W' + b as passes see it.</summary>
/// <param name="Inputs">Columns of W.</param>
/// <param name="Outputs">Rows of W.</param>
/// <param name="Weight">Place of W (outputs, inputs) among the pass's inputs.</param>
/// <param name="Bias">Place of b (outputs); 0: none</param>
/// <param name="Turned">Where W' (inputs, outputs) lies among the weights that are laid out.</param>
/// <param name="ByWeight">Where the gradient by W lies in a share.</param>
/// <param name="ByBias">Where that by b lies.</param>
internal sealed record DenseLayer(int Inputs, int Outputs, int Weight, int Bias, long Turned, long ByWeight, long ByBias);

/// <summary>Where a pass's weights lie. Whoever makes it keeps the tensors alive.</summary>
/// <param name="At">Addresses of the inputs.</param>
/// <param name="Turned">Matrices laid out (inputs, outputs).</param>
internal readonly unsafe struct WeightRows<T>(nint[] At, T* Turned)
    where T : unmanaged
{
    public T* Turned { get; } = Turned;

    public T* Of(int input) => (T*)At[input];
}

/// <summary>The products of a dense layer over rows: of values, of tangents, of gradients.</summary>
internal static unsafe class DenseRows<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>W' of a layer, as products of values and tangents read it.</summary>
    public static void Turn(DenseLayer layer, in WeightRows<T> weights) =>
        Products<TLanes, T>.Transpose(layer.Outputs, layer.Inputs, weights.Of(layer.Weight), layer.Inputs, weights.Turned + layer.Turned, layer.Outputs);

    /// <summary>y = x W' + b, or y += x W' + b.</summary>
    public static void Values(DenseLayer layer, in WeightRows<T> weights, int rows, T* x, T* y, bool add = false)
    {
        int n = layer.Outputs;
        if (layer.Bias != 0)
        {
            T* bias = weights.Of(layer.Bias);
            if (add) AddToRows(rows, n, bias, y);
            else for (int r = 0; r < rows; r++) Unsafe.CopyBlock(y + (long)r * n, bias, (uint)(n * sizeof(T)));
        }
        Products<TLanes, T>.Multiply(rows, n, layer.Inputs, x, layer.Inputs, weights.Turned + layer.Turned, n, y, n, add || layer.Bias != 0);
    }

    /// <summary>The same without the bias: what goes through it beside values.</summary>
    public static void Tangents(DenseLayer layer, in WeightRows<T> weights, int rows, T* x, T* y, bool add = false) =>
        Products<TLanes, T>.Multiply(rows, layer.Outputs, layer.Inputs, x, layer.Inputs, weights.Turned + layer.Turned, layer.Outputs, y, layer.Outputs, add);

    /// <summary>The gradient by x: g W.</summary>
    public static void Back(DenseLayer layer, in WeightRows<T> weights, int rows, T* g, T* byX, bool add = false) =>
        Products<TLanes, T>.Multiply(rows, layer.Inputs, layer.Outputs, g, layer.Outputs, weights.Of(layer.Weight), layer.Inputs, byX, layer.Inputs, add);

    /// <summary>Adds the gradients by W and b: g' x, and the sum of g.</summary>
    public static void AddGradients(DenseLayer layer, int rows, T* g, T* x, T* share)
    {
        AddOuter(layer, rows, g, x, share);
        if (layer.Bias != 0) AddRows(rows, layer.Outputs, g, share + layer.ByBias);
    }

    /// <summary>Adds to the gradient by W alone.</summary>
    public static void AddOuter(DenseLayer layer, int rows, T* g, T* x, T* share) =>
        Products<TLanes, T>.MultiplyTransposed(layer.Outputs, layer.Inputs, rows, g, layer.Outputs, x, layer.Inputs, share + layer.ByWeight, layer.Inputs, add: true);

    /// <summary>sum += sum over rows of g</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddRows(int rows, int n, T* g, T* sum, int stride = 0)
    {
        int whole = n - n % TLanes.Count;
        if (stride == 0) stride = n;
        for (int r = 0; r < rows; r++, g += stride)
        {
            for (int c = 0; c < whole; c += TLanes.Count) TLanes.Store(sum + c, TLanes.Add(TLanes.Load(sum + c), TLanes.Load(g + c)));
            for (int c = whole; c < n; c++) sum[c] += g[c];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddToRows(int rows, int n, T* row, T* y)
    {
        int whole = n - n % TLanes.Count;
        for (int r = 0; r < rows; r++, y += n)
        {
            for (int c = 0; c < whole; c += TLanes.Count) TLanes.Store(y + c, TLanes.Add(TLanes.Load(y + c), TLanes.Load(row + c)));
            for (int c = whole; c < n; c++) y[c] += row[c];
        }
    }
}
