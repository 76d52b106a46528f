using System.Numerics;
using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Forces;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>Allegro's energies, forces and stress without a graph: the forward pass of training over weights that are laid out once.</summary>
internal sealed unsafe class AllegroForces<TLanes, T> : AllegroNetwork<TLanes, T>, IForcePasses
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly double[] references;
    private readonly int[] elementOfNumber;
    private readonly T* weights;

    public AllegroForces(AllegroForceWeights model)
        : base(model.Settings, new AllegroLayout(model.Settings, model.Inputs, TLanes.Count))
    {
        using TensorMemory energies = new(model.References), elements = new(model.ElementOfNumber);
        references = MemoryMarshal.Cast<byte, double>(energies.Bytes).ToArray();
        elementOfNumber = [.. MemoryMarshal.Cast<byte, long>(elements.Bytes).ToArray().Select(e => (int)e)];
        weights = (T*)NativeMemory.AlignedAlloc((nuint)Layout.Packed * (nuint)sizeof(T), 64);
        Tensor?[] inputs = [.. model.Inputs.Select(t => t?.detach().contiguous())];
        Layout.Pack<TLanes, T>(inputs, weights);
        foreach (Tensor? input in inputs) input?.Dispose();
    }

    public void Evaluate(FramePairs frames, ForceSums sums)
    {
        bool gradients = sums.Forces is not null || sums.StrainGradients is not null;
        int[] pairs = Directed(frames, out AllegroGraph graph);
        using Workspace workspace = Workspace.Rent(2 * Workspace.Size<T>(3L * graph.Edges) + Workspace.Size<T>(graph.Atoms));
        T* vectors = workspace.Take<T>(3L * graph.Edges), byVectors = workspace.Take<T>(3L * graph.Edges), energies = workspace.Take<T>(graph.Atoms);
        for (int e = 0; e < graph.Edges; e++)
        {
            bool forth = pairs[e] >= 0;
            ReadOnlySpan<double> v = frames.Vectors.AsSpan(3 * (forth ? pairs[e] : ~pairs[e]), 3);
            for (int i = 0; i < 3; i++) vectors[3 * e + i] = T.CreateTruncating(forth ? v[i] : -v[i]);
        }
        Clear(energies, graph.Atoms);
        TorchThreads.For(graph.Blocks.Length, b =>
        {
            ReceiverBlock block = graph.Blocks[b];
            long room = Room(block), kept = Kept(block);
            using Workspace own = Workspace.Rent(Workspace.Size<T>(room) + Workspace.Size<T>(kept));
            Forward(block, graph, weights, own.Take<T>(kept), own.Take<T>(room), vectors, energies, gradients ? byVectors : null);
        });
        TorchThreads.For(frames.Frames, f =>
        {
            double sum = 0;
            for (int i = frames.AtomStarts[f]; i < frames.AtomStarts[f + 1]; i++) sum += references[frames.Numbers[i]] + double.CreateTruncating(energies[i]);
            sums.Energies[f] = sum;
            if (gradients) Gather(frames, f, graph, pairs, byVectors, sums);
        });
        GC.KeepAlive(this);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(weights);
        GC.SuppressFinalize(this);
    }

    /// <summary>Each pair as two edges, by receivers.</summary>
    /// <param name="frames">The pairs.</param>
    /// <param name="graph">The edges; no block joins two frames, so that what a frame gets depends on that frame alone.</param>
    /// <returns>(edges) the pair of each; its complement where the edge runs from the pair's second atom to the first</returns>
    private int[] Directed(FramePairs frames, out AllegroGraph graph)
    {
        int atoms = frames.Atoms, count = frames.PairStarts[^1];
        var starts = new int[atoms + 1];
        for (int f = 0; f < frames.Frames; f++)
        {
            for (int p = frames.PairStarts[f]; p < frames.PairStarts[f + 1]; p++)
            {
                starts[frames.AtomStarts[f] + frames.First[p] + 1]++;
                starts[frames.AtomStarts[f] + frames.Second[p] + 1]++;
            }
        }
        for (int i = 0; i < atoms; i++) starts[i + 1] += starts[i];
        int[] next = starts[..atoms], senders = new int[2 * count], pairs = new int[2 * count], elements = new int[atoms];
        for (int f = 0; f < frames.Frames; f++)
        {
            for (int p = frames.PairStarts[f]; p < frames.PairStarts[f + 1]; p++)
            {
                int first = frames.AtomStarts[f] + frames.First[p], second = frames.AtomStarts[f] + frames.Second[p], forth = next[first]++, back = next[second]++;
                (senders[forth], pairs[forth], senders[back], pairs[back]) = (second, p, first, ~p);
            }
        }
        for (int i = 0; i < atoms; i++) elements[i] = elementOfNumber[frames.Numbers[i]];
        graph = new AllegroGraph(starts, senders, elements, frames.AtomStarts.AsSpan(1));
        return pairs;
    }

    /// <summary>Derivatives by edges' vectors, to atoms and strain.</summary>
    private static void Gather(FramePairs frames, int f, AllegroGraph graph, int[] pairs, T* byVectors, ForceSums sums)
    {
        Span<double> s = stackalloc double[9];
        s.Clear();
        int start = frames.AtomStarts[f], end = frames.AtomStarts[f + 1];
        for (int i = start; i < end && sums.Forces is not null; i++) sums.Forces.AsSpan(3 * i, 3).Clear();
        for (int i = start; i < end; i++)
        {
            for (int e = graph.RowStarts[i]; e < graph.RowStarts[i + 1]; e++)
            {
                T* by = byVectors + 3L * e;
                double x = double.CreateTruncating(by[0]), y = double.CreateTruncating(by[1]), z = double.CreateTruncating(by[2]);
                if (sums.Forces is { } forces)
                {
                    int j = 3 * graph.Senders[e];
                    (forces[3 * i], forces[3 * i + 1], forces[3 * i + 2]) = (forces[3 * i] + x, forces[3 * i + 1] + y, forces[3 * i + 2] + z);
                    (forces[j], forces[j + 1], forces[j + 2]) = (forces[j] - x, forces[j + 1] - y, forces[j + 2] - z);
                }
                bool forth = pairs[e] >= 0;
                ReadOnlySpan<double> v = frames.Vectors.AsSpan(3 * (forth ? pairs[e] : ~pairs[e]), 3);
                if (!forth) (x, y, z) = (-x, -y, -z);
                (s[0], s[4], s[8]) = (s[0] + x * v[0], s[4] + y * v[1], s[8] + z * v[2]);
                (s[1], s[2], s[5]) = (s[1] + (x * v[1] + y * v[0]) / 2, s[2] + (x * v[2] + z * v[0]) / 2, s[5] + (y * v[2] + z * v[1]) / 2);
            }
        }
        (s[3], s[6], s[7]) = (s[1], s[2], s[5]);
        if (sums.StrainGradients is not null) s.CopyTo(sums.StrainGradients.AsSpan(9 * f, 9));
    }
}

/// <summary>An Allegro's weights. Tensors stay the caller's.</summary>
/// <param name="Settings">What is no tensor.</param>
/// <param name="Inputs">As <see cref="AllegroEnergies"/> has them, without vectors.</param>
/// <param name="ElementOfNumber">int64: place among the model's elements of each atomic number</param>
/// <param name="References">(elements) eV, float64</param>
internal sealed record AllegroForceWeights(AllegroSettings Settings, Tensor?[] Inputs, Tensor ElementOfNumber, Tensor References)
{
    /// <returns>null where there are no such passes.</returns>
    public IForcePasses? Passes()
    {
        ScalarType type = Inputs[1]!.dtype;
        if (Inputs[1]!.device_type != TorchSharp.DeviceType.CPU) return null;
        return (type, AllegroSettings.Lanes(type, Settings.Features)) switch
        {
            (_, 0) => null,
            (ScalarType.Float32, 16) => new AllegroForces<SingleLanes16, float>(this),
            (ScalarType.Float32, _) => new AllegroForces<SingleLanes8, float>(this),
            (_, 8) => new AllegroForces<DoubleLanes8, double>(this),
            _ => new AllegroForces<DoubleLanes4, double>(this),
        };
    }
}
