using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Engine.Operators.Runs;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.ForceFields;

/// <summary>
/// Where gradients by a pass's parameters lie in a share, one after another, and their sums over shares: put where the trainer keeps them together, or
/// in tensors.
/// </summary>
internal sealed unsafe class ParameterSums
{
    private readonly List<Part> parts = [];
    private long numbers, turned;

    /// <summary>Numbers of a share.</summary>
    public long Numbers => numbers;

    /// <summary>Numbers of the matrices that are laid out (inputs, outputs).</summary>
    public long Turned => turned;

    public long Reserve(long count)
    {
        long at = numbers;
        numbers += Rounded(count);
        return at;
    }

    public long ReserveTurned(long count)
    {
        long at = turned;
        turned += Rounded(count);
        return at;
    }

    /// <summary>Says what rows of a share are: those of an input from its number <paramref name="to"/> on.</summary>
    public void Assign(int input, long from, int stride, int rows, int columns, long to = 0) => parts.Add(new Part(input, from, stride, rows, columns, to));

    /// <summary>A dense layer whose weight is the input at this place, and its bias the next one.</summary>
    public DenseLayer Layer(ref int place, int inputs, int outputs, bool bias = true)
    {
        long byWeight = Reserve((long)inputs * outputs), byBias = bias ? Reserve(outputs) : 0;
        var layer = new DenseLayer(inputs, outputs, place, bias ? place + 1 : 0, ReserveTurned((long)inputs * outputs), byWeight, byBias);
        Assign(place, byWeight, inputs, outputs, inputs);
        if (bias) Assign(place + 1, byBias, outputs, 1, outputs);
        place += bias ? 2 : 1;
        return layer;
    }

    /// <summary>Sums over shares, in their order.</summary>
    /// <param name="shares">The first; each is as long as <see cref="Numbers"/>.</param>
    /// <param name="count">How many.</param>
    /// <param name="inputs">Of the pass.</param>
    /// <param name="results">Gradients by them; written where they want one that has no place elsewhere.</param>
    public void Gather<TLanes, T>(T* shares, int count, Tensor?[] inputs, Tensor?[] results)
        where TLanes : unmanaged, ILanes<TLanes, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var places = new GradientPlace[inputs.Length];
        bool[] seen = new bool[inputs.Length];
        var targets = new nint[parts.Count];
        for (int i = 0; i < targets.Length; i++)
        {
            int input = parts[i].Input;
            if (!inputs[input]!.requires_grad) continue;
            if (!seen[input])
            {
                seen[input] = true;
                places[input] = RunScope.Current.PlaceOf(inputs[input]!);
                if (places[input].All is null) results[input] = empty_like(inputs[input]!);
            }
            using var memory = new TensorMemory(results[input] ?? places[input].All);
            targets[i] = (nint)((T*)memory.Address + places[input].Offset + parts[i].To);
        }
        TorchThreads.For(parts.Count, i =>
        {
            if (targets[i] == 0) return;
            Part part = parts[i];
            bool add = places[part.Input].Add;
            T* to = (T*)targets[i], from = shares + part.From;
            if (part.Stride == part.Columns) AddShares<TLanes, T>(from, to, (long)part.Rows * part.Columns, numbers, count, add);
            else for (int r = 0; r < part.Rows; r++) AddShares<TLanes, T>(from + (long)r * part.Stride, to + (long)r * part.Columns, part.Columns, numbers, count, add);
        });
        GC.KeepAlive(results);
        GC.KeepAlive(places);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddShares<TLanes, T>(T* of, T* to, long count, long stride, int shares, bool add)
        where TLanes : unmanaged, ILanes<TLanes, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        long whole = count - count % TLanes.Count;
        for (long c = 0; c < whole; c += TLanes.Count)
        {
            TLanes sum = TLanes.Load(of + c);
            for (int share = 1; share < shares; share++) sum = TLanes.Add(sum, TLanes.Load(of + share * stride + c));
            TLanes.Store(to + c, add ? TLanes.Add(TLanes.Load(to + c), sum) : sum);
        }
        for (long c = whole; c < count; c++)
        {
            T sum = of[c];
            for (int share = 1; share < shares; share++) sum += of[share * stride + c];
            to[c] = add ? to[c] + sum : sum;
        }
    }

    private static long Rounded(long count) => (count + 15) / 16 * 16;

    private readonly record struct Part(int Input, long From, int Stride, int Rows, int Columns, long To);
}
