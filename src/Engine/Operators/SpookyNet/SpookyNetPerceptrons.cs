using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>What a perceptron makes on the way, rows by F.</summary>
/// <param name="h">W1 s1(x) + b1</param>
/// <param name="y">x + W2 s2(h) + b2</param>
internal readonly unsafe struct PerceptronRows<T>(T* h, T* y)
    where T : unmanaged
{
    public readonly T* H = h, Y = y;

    public PerceptronRows<T> From(long offset) => new(H + offset, Y + offset);
}

/// <summary>Gradients of E by what activations give.</summary>
internal readonly unsafe struct PerceptronGradients<T>(T* first, T* second, T* third)
    where T : unmanaged
{
    public readonly T* First = first, Second = second, Third = third;
}

/// <summary>
/// Perceptrons over rows, in pieces of <see cref="Piece"/> that stay in the second-level cache through all three products. Whoever calls gives room of
/// <see cref="Room"/> rows.
/// </summary>
internal static unsafe class Perceptrons<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public const int Piece = 64;

    /// <summary>Rows of room.</summary>
    public const int Room = 6 * Piece;

    /// <param name="of">The perceptron.</param>
    /// <param name="weights">Packed.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="x">(rows, F)</param>
    /// <param name="made">Written; y may be x.</param>
    /// <param name="z">(rows, F), written, or added to; of a residual block not looked at</param>
    /// <param name="room">Room.</param>
    /// <param name="add">Whether z is added to.</param>
    public static void Values(SpookyPerceptron of, T* weights, int rows, T* x, PerceptronRows<T> made, T* z, T* room, bool add = false)
    {
        int f = of.Dense1.Inputs;
        for (int from = 0; from < rows; from += Piece)
        {
            int n = Math.Min(Piece, rows - from);
            long at = (long)from * f, count = (long)n * f;
            T* h = made.H + at, y = made.Y + at;
            Swish(of.Swish1, weights, n, f, x + at, room);
            Dense(of.Dense1, weights, n, room, h, false);
            Swish(of.Swish2, weights, n, f, h, room);
            if (y != x + at) Unsafe.CopyBlock(y, x + at, (uint)(count * sizeof(T)));
            Dense(of.Dense2, weights, n, room, y, true);
            if (of.Dense3 is null) continue;
            Swish(of.Swish3!, weights, n, f, y, room);
            Dense(of.Dense3, weights, n, room, z + at, add);
        }
    }

    /// <summary>Tangents of the same.</summary>
    public static void Tangents(SpookyPerceptron of, T* weights, int rows, T* x, PerceptronRows<T> made, T* xDot, PerceptronRows<T> dot, T* zDot, T* room, bool add = false)
    {
        int f = of.Dense1.Inputs;
        for (int from = 0; from < rows; from += Piece)
        {
            int n = Math.Min(Piece, rows - from);
            long at = (long)from * f, count = (long)n * f;
            Slopes(of.Swish1, weights, n, f, x + at, xDot + at, room);
            Product(of.Dense1, weights, n, room, dot.H + at, false);
            Slopes(of.Swish2, weights, n, f, made.H + at, dot.H + at, room);
            Unsafe.CopyBlock(dot.Y + at, xDot + at, (uint)(count * sizeof(T)));
            Product(of.Dense2, weights, n, room, dot.Y + at, true);
            if (of.Dense3 is null) continue;
            Slopes(of.Swish3!, weights, n, f, made.Y + at, dot.Y + at, room);
            Product(of.Dense3, weights, n, room, zDot + at, add);
        }
    }

    /// <summary>Gradients of E.</summary>
    /// <param name="of">The perceptron.</param>
    /// <param name="weights">Packed.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="x">(rows, F)</param>
    /// <param name="made">As <see cref="Values"/> left it.</param>
    /// <param name="byZ">By z; of a residual block by y</param>
    /// <param name="by">Written.</param>
    /// <param name="byX">Written, or added to; may be <paramref name="byZ"/> of a residual block</param>
    /// <param name="room">Room.</param>
    /// <param name="add">Whether <paramref name="byX"/> is added to.</param>
    public static void Reverse(SpookyPerceptron of, T* weights, int rows, T* x, PerceptronRows<T> made, T* byZ, PerceptronGradients<T> by, T* byX, T* room, bool add)
    {
        int f = of.Dense1.Inputs;
        for (int from = 0; from < rows; from += Piece)
        {
            int n = Math.Min(Piece, rows - from);
            long at = (long)from * f, count = (long)n * f;
            T* byY = byZ + at, slopes = room + count;
            if (of.Dense3 is { } third)
            {
                Back(third, weights, n, byZ + at, by.Third + at);
                Slopes(of.Swish3!, weights, n, f, made.Y + at, by.Third + at, byY = room);
            }
            Back(of.Dense2, weights, n, byY, by.Second + at);
            Slopes(of.Swish2, weights, n, f, made.H + at, by.Second + at, slopes);
            Back(of.Dense1, weights, n, slopes, by.First + at);
            Slopes(of.Swish1, weights, n, f, x + at, by.First + at, slopes);
            if (add) SpookyRowsOf<TLanes, T>.Add(count, byY, slopes);
            if (add) SpookyRowsOf<TLanes, T>.Add(count, slopes, byX + at);
            else SpookyRowsOf<TLanes, T>.Sum(count, byY, slopes, byX + at);
        }
    }

    /// <summary>Gradients of S by x, and by weights.</summary>
    /// <param name="of">The perceptron.</param>
    /// <param name="weights">Packed.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="x">(rows, F)</param>
    /// <param name="made">As <see cref="Values"/> left it.</param>
    /// <param name="xDot">Tangents; null: nothing moves, and nothing of E is looked at.</param>
    /// <param name="dot">Likewise.</param>
    /// <param name="byZ">Gradient of E by z; of a residual block by y</param>
    /// <param name="by">As <see cref="Reverse"/> left it.</param>
    /// <param name="hat">Gradient of S by z, or y</param>
    /// <param name="byX">Written, or added to; may be <paramref name="hat"/> of a residual block</param>
    /// <param name="share">Gradients by weights, added to.</param>
    /// <param name="room">Room.</param>
    /// <param name="add">Whether <paramref name="byX"/> is added to.</param>
    public static void Adjoints(SpookyPerceptron of, T* weights, int rows, T* x, PerceptronRows<T> made, T* xDot, PerceptronRows<T> dot, T* byZ, PerceptronGradients<T> by,
        T* hat, T* byX, T* share, T* room, bool add)
    {
        int f = of.Dense1.Inputs;
        bool moves = xDot != null;
        for (int from = 0; from < rows; from += Piece)
        {
            int n = Math.Min(Piece, rows - from), both = moves ? 2 * n : n;
            long at = (long)from * f, count = (long)n * f;
            // Gradients of S and of E below each other, values and tangents too: their outer products are one.
            T* g = room, values = room + 2 * count, h = room + 4 * count;
            Unsafe.CopyBlock(g, hat + at, (uint)(count * sizeof(T)));
            if (moves) Unsafe.CopyBlock(g + count, byZ + at, (uint)(count * sizeof(T)));
            if (of.Dense3 is { } third)
            {
                Back(third, weights, n, g, h);
                Swish(of.Swish3!, weights, share, n, f, made.Y + at, moves ? dot.Y + at : null, h, moves ? by.Third + at : null, values, out T* byY);
                Outer(third, both, n, g, values, share);
                Unsafe.CopyBlock(g, h, (uint)(count * sizeof(T)));
                if (moves) Unsafe.CopyBlock(g + count, byY, (uint)(count * sizeof(T)));
            }
            // What goes around the residual block.
            if (add) SpookyRowsOf<TLanes, T>.Add(count, g, byX + at);
            else if (byX != hat || of.Dense3 is not null) Unsafe.CopyBlock(byX + at, g, (uint)(count * sizeof(T)));
            Back(of.Dense2, weights, n, g, h);
            Swish(of.Swish2, weights, share, n, f, made.H + at, moves ? dot.H + at : null, h, moves ? by.Second + at : null, values, out T* byH);
            Outer(of.Dense2, both, n, g, values, share);
            Unsafe.CopyBlock(g, h, (uint)(count * sizeof(T)));
            if (moves) Unsafe.CopyBlock(g + count, byH, (uint)(count * sizeof(T)));
            Back(of.Dense1, weights, n, g, h);
            Swish(of.Swish1, weights, share, n, f, x + at, moves ? xDot + at : null, h, moves ? by.First + at : null, values, out _);
            Outer(of.Dense1, both, n, g, values, share);
            SpookyRowsOf<TLanes, T>.Add(count, h, byX + at);
        }
    }

    /// <summary>y = x W' + b, or y += that.</summary>
    public static void Dense(SpookyDense d, T* weights, int rows, T* x, T* y, bool add)
    {
        if (d.Bias >= 0)
        {
            T* bias = weights + d.Bias;
            for (int r = 0; r < rows; r++)
            {
                if (add) SpookyRowsOf<TLanes, T>.Add(d.Outputs, bias, y + (long)r * d.Outputs);
                else Unsafe.CopyBlock(y + (long)r * d.Outputs, bias, (uint)(d.Outputs * sizeof(T)));
            }
        }
        Product(d, weights, rows, x, y, add || d.Bias >= 0);
    }

    /// <summary>y = x W', or y += that.</summary>
    public static void Product(SpookyDense d, T* weights, int rows, T* x, T* y, bool add) =>
        Products<TLanes, T>.Multiply(rows, d.Outputs, d.Inputs, x, d.Inputs, weights + d.Forward, d.Outputs, y, d.Outputs, add);

    /// <summary>The gradient by x: g W.</summary>
    public static void Back(SpookyDense d, T* weights, int rows, T* g, T* byX, bool add = false) =>
        Products<TLanes, T>.Multiply(rows, d.Inputs, d.Outputs, g, d.Outputs, weights + d.Backward, d.Inputs, byX, d.Inputs, add);

    /// <summary>Adds g' x to the gradient by W and the sum of the first rows of g to that by b.</summary>
    public static void Outer(SpookyDense d, int rows, int biasRows, T* g, T* x, T* share)
    {
        Products<TLanes, T>.MultiplyTransposed(d.Outputs, d.Inputs, rows, g, d.Outputs, x, d.Inputs, share + d.ByWeight, d.Inputs, add: true);
        if (d.Bias >= 0) DenseRows<TLanes, T>.AddRows(biasRows, d.Outputs, g, share + d.ByBias);
    }

    private static void Swish(SpookySwish s, T* weights, int rows, int f, T* x, T* y) =>
        SwishRows<TLanes, T>.Values(rows, f, weights + s.Alpha.At, weights + s.Beta.At, x, y);

    private static void Slopes(SpookySwish s, T* weights, int rows, int f, T* x, T* g, T* y) =>
        SwishRows<TLanes, T>.Slopes(rows, f, weights + s.Alpha.At, weights + s.Beta.At, x, g, y);

    /// <summary>Adjoints of an activation: values and tangents below each other, and behind h the gradient by the tangent of x.</summary>
    private static void Swish(SpookySwish s, T* weights, T* share, int rows, int f, T* x, T* t, T* h, T* g, T* values, out T* byT)
    {
        T* a = weights + s.Alpha.At, b = weights + s.Beta.At, byA = share + s.Alpha.By, byB = share + s.Beta.By;
        byT = h + (long)rows * f;
        if (t == null) SwishRows<TLanes, T>.Back(rows, f, a, b, x, h, values, byA, byB);
        else SwishRows<TLanes, T>.Adjoints(rows, f, a, b, new SwishAdjoints<T>(x, t, h, g, byT, values, values + (long)rows * f), byA, byB);
    }
}
