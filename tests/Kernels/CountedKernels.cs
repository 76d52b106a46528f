using ChemScale.Engine.Atoms;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Neighbors;
using ChemScale.Engine.Operators.Optimization;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Kernels.Ptx;
using ChemScale.Perf.Counting;
using ChemScale.Tests.Gpu;
using ChemScale.Tests.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Kernels;

/// <summary>The fixed cases of perf/counters/kernels.tsv: every operation in both number types, as wide as models have them, on few rows.</summary>
internal static class CountedKernels
{
    public static KernelFigures[] Run()
    {
        var device = new PtxDevice { Checks = false, Counts = true, Rounding = PtxRounding.Fused };
        TestScope.Device(device);
        foreach (ScalarType type in (ScalarType[])[ScalarType.Float32, ScalarType.Float64])
        {
            foreach (Func<CaseSize, DeviceOperation> make in DeviceOperation.All.Values)
            {
                using DeviceOperation operation = make(CaseSize.Counted);
                _ = DeviceOperationTests.Everything(operation, OperatorMode.Kernels, CPU, type);
            }
            AdamW(type);
            Molecules(type);
        }
        foreach (int width in (int[])[16, 32, 64, 128]) MatrixAttention(width);
        Bins();
        return [.. device.TakeCounts().Select(KernelFigures.Of)];
    }

    private static void AdamW(ScalarType type)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[][] parts = [.. Enumerable.Range(0, 4).Select(k => (Tensor[])[DeviceOperation.Normal((ulong)k, 20_000).abs().to(type)])];
        AdamWUpdate.Apply(parts[0], parts[1], parts[2], parts[3], new AdamWSettings(3, 0.01, 0.9, 0.95, 0.1, 1e-8));
    }

    private static void Molecules(ScalarType type)
    {
        using DisposeScope scope = NewDisposeScope();
        int[] sizes = [.. Enumerable.Repeat(21, 8)];
        using EdgeList edges = MoleculeNeighbors.Apply((DeviceOperation.Normal(3, sizes.Sum(), 3) * 3).to(type), sizes, 4);
    }

    private static void MatrixAttention(int width)
    {
        using DisposeScope scope = NewDisposeScope();
        using PackedRows rows = new([0, 37, 74]);
        int heads = 128 / width;
        Tensor qkv = DeviceOperation.Normal(1, rows.Tokens, 3 * 128).to(ScalarType.BFloat16).to(ScalarType.Float32).requires_grad_();
        Gradients.Backward(Attention.Apply(qkv, rows, heads, 0, 0.25, AttentionPrecision.Bfloat16), ones(rows.Tokens, 128));
    }

    private static void Bins()
    {
        using DisposeScope scope = NewDisposeScope();
        Frame[] frames = [NeighborFrames.Skewed(60, [true, true, true], 0.5, 1), NeighborFrames.Skewed(60, [false, false, false], 0.5, 1)];
        foreach (Frame[] some in (Frame[][])[frames, frames[1..]])
        {
            using FrameEdges edges = FrameNeighborsKernels.Build(tensor(some.SelectMany(f => f.Positions).ToArray()).clone().view(-1, 3), some, 4);
        }
    }
}
