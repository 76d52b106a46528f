using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Forces;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>SpookyNet's energies, forces and stress without a graph: the forward pass of training over weights that are laid out once.</summary>
internal sealed unsafe class SpookyNetForces<TLanes, T> : SpookyNetNetwork<TLanes, T>, IForcePasses
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly double[] references;
    private readonly T* weights;

    public SpookyNetForces(SpookyNetForceWeights model)
        : base(model.Settings, new SpookyNetLayout(model.Settings, model.Inputs, TLanes.Count))
    {
        using TensorMemory energies = new(model.References);
        references = MemoryMarshal.Cast<byte, double>(energies.Bytes).ToArray();
        weights = (T*)NativeMemory.AlignedAlloc((nuint)Layout.Packed * (nuint)sizeof(T), 64);
        Tensor?[] inputs = [.. model.Inputs.Select(t => t?.detach().contiguous())];
        Layout.Pack<TLanes, T>(inputs, weights);
        foreach (Tensor? input in inputs) input?.Dispose();
    }

    public void Evaluate(FramePairs frames, ForceSums sums)
    {
        bool gradients = sums.Forces is not null || sums.StrainGradients is not null;
        var graph = new SpookyNetGraph(frames.AtomStarts, frames.PairStarts, frames.First, frames.Second, frames.Numbers, frames.Charges, frames.Spins);
        // What a frame gets depends on that frame alone. Sums of rows in tiles do not depend on how many rows there are; those of a BLAS may.
        SpookyNetBlock[] blocks = graph.Blocks(alone: !Products<TLanes, T>.AddsLast(F));
        Array.Clear(sums.Energies);
        TorchThreads.For(blocks.Length, b =>
        {
            SpookyNetBlock block = blocks[b];
            SpookySizes sizes = Sizes(block, graph);
            long numbers = Kept(sizes, false);
            using Workspace workspace = Workspace.Rent(
                ForwardRoom(sizes) + Workspace.Size<T>(numbers) + 2 * Workspace.Size<T>(3L * block.Pairs) + Workspace.Size<T>(block.Atoms));
            var kept = new SpookyNetMemory<T>(sizes, workspace.Take<T>(numbers), false);
            T* vectors = workspace.Take<T>(3L * block.Pairs), by = workspace.Take<T>(3L * block.Pairs), energies = workspace.Take<T>(block.Atoms);
            for (int c = 0; c < 3 * block.Pairs; c++) vectors[c] = T.CreateTruncating(frames.Vectors[3 * block.FirstPair + c]);
            Forward(block, graph, weights, kept, sizes, vectors - 3L * block.FirstPair, energies - block.FirstAtom, gradients ? by - 3L * block.FirstPair : null, workspace);
            for (int f = block.FirstFrame; f < block.FirstFrame + block.Frames; f++)
            {
                double sum = 0;
                for (int i = frames.AtomStarts[f]; i < frames.AtomStarts[f + 1]; i++)
                    sum += references[frames.Numbers[i]] + double.CreateTruncating(energies[i - block.FirstAtom]);
                sums.Energies[f] = sum;
                if (gradients) Gather(frames, f, by - 3L * block.FirstPair, sums);
            }
        });
        GC.KeepAlive(this);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(weights);
        GC.SuppressFinalize(this);
    }

    /// <summary>Derivatives by pairs' vectors, to atoms and strain.</summary>
    private static void Gather(FramePairs frames, int f, T* byVectors, ForceSums sums)
    {
        int start = frames.AtomStarts[f];
        Span<double> s = stackalloc double[9], forces = sums.Forces is null ? default : sums.Forces.AsSpan(3 * start, 3 * (frames.AtomStarts[f + 1] - start));
        s.Clear();
        forces.Clear();
        for (int p = frames.PairStarts[f]; p < frames.PairStarts[f + 1]; p++)
        {
            T* by = byVectors + 3L * p;
            double x = double.CreateTruncating(by[0]), y = double.CreateTruncating(by[1]), z = double.CreateTruncating(by[2]);
            if (forces.Length > 0)
            {
                int i = 3 * frames.First[p], j = 3 * frames.Second[p];
                (forces[i], forces[i + 1], forces[i + 2]) = (forces[i] + x, forces[i + 1] + y, forces[i + 2] + z);
                (forces[j], forces[j + 1], forces[j + 2]) = (forces[j] - x, forces[j + 1] - y, forces[j + 2] - z);
            }
            ReadOnlySpan<double> v = frames.Vectors.AsSpan(3 * p, 3);
            (s[0], s[4], s[8]) = (s[0] + x * v[0], s[4] + y * v[1], s[8] + z * v[2]);
            (s[1], s[2], s[5]) = (s[1] + (x * v[1] + y * v[0]) / 2, s[2] + (x * v[2] + z * v[0]) / 2, s[5] + (y * v[2] + z * v[1]) / 2);
        }
        (s[3], s[6], s[7]) = (s[1], s[2], s[5]);
        if (sums.StrainGradients is not null) s.CopyTo(sums.StrainGradients.AsSpan(9 * f, 9));
    }
}

/// <summary>A SpookyNet's weights. Tensors stay the caller's.</summary>
/// <param name="Settings">What is no tensor.</param>
/// <param name="Inputs">As <see cref="SpookyNetEnergies"/> has them, without vectors.</param>
/// <param name="References">(elements) eV, float64</param>
internal sealed record SpookyNetForceWeights(SpookyNetSettings Settings, Tensor?[] Inputs, Tensor References)
{
    /// <returns>null where there are no such passes.</returns>
    public IForcePasses? Passes() => Inputs[1]!.device_type != TorchSharp.DeviceType.CPU ? null : (Inputs[1]!.dtype, SpookyNetLanes.Of(Inputs[1]!.dtype, Settings.Features)) switch
    {
        (_, 0) => null,
        (ScalarType.Float32, 16) => new SpookyNetForces<SingleLanes16, float>(this),
        (ScalarType.Float32, _) => new SpookyNetForces<SingleLanes8, float>(this),
        (_, 8) => new SpookyNetForces<DoubleLanes8, double>(this),
        _ => new SpookyNetForces<DoubleLanes4, double>(this),
    };
}

internal static class SpookyNetLanes
{
    /// <summary>Lanes for so many features, filled up to whole vectors; 0: there are none.</summary>
    public static int Of(ScalarType type, int features)
    {
        if (!Vector256.IsHardwareAccelerated || type is not (ScalarType.Float32 or ScalarType.Float64)) return 0;
        int few = type == ScalarType.Float32 ? 8 : 4;
        return Vector512.IsHardwareAccelerated && features % (2 * few) == 0 ? 2 * few : few;
    }
}
