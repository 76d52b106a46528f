using System.Numerics;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Kernels.AdamW;
using ChemScale.Kernels.Maths;
using TorchSharp;
using static ChemScale.Engine.Operators.Runs.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Optimization;

/// <summary>One AdamW update of many parameters, in place, in one call: by torch.optim.AdamW's formulas. Moments below the normal
/// range are written as zero.</summary>
internal static class AdamWUpdate
{
    /// <param name="parameters">Written. They and the next three: of one shape each, of any strides.</param>
    /// <param name="gradients">Read.</param>
    /// <param name="first">First moments, written.</param>
    /// <param name="second">Second moments, written.</param>
    /// <param name="settings">Which update, and how.</param>
    public static void Apply(Tensor[] parameters, Tensor[] gradients, Tensor[] first, Tensor[] second, in AdamWSettings settings)
    {
        using DisposeScope scope = NewDisposeScope();
        ScalarType type = parameters[0].dtype;
        // The library's fused update reads memory in order, whatever the strides.
        Tensor[] p = Ordered(parameters), g = Ordered(gradients), m = Ordered(first), v = Ordered(second);
        bool alike = System.Array.TrueForAll(p, t => t.dtype == type);
        if (alike && !OperatorModes.UseKernels(parameters[0]) && AdamWUpdateHost.Has(p[0]) && OperatorModes.UseHost(p[0]))
        {
            for (int i = 0; i < p.Length; i++) AdamWUpdateHost.Apply(p[i], g[i], m[i], v[i], settings);
        }
        else if (!alike || !OperatorModes.UseKernels(parameters[0]))
        {
            AdamWUpdateComposed.Apply(p, g, m, v, settings);
            Subnormals.Clear(m);
            Subnormals.Clear(v);
        }
        else if (type == ScalarType.Float32) Launch<float, F32>(p, g, m, v, settings);
        else Launch<double, F64>(p, g, m, v, settings);
        CopyBack(p, parameters);
        CopyBack(m, first);
        CopyBack(v, second);
    }

    private static Tensor[] Ordered(Tensor[] tensors) => [.. tensors.Select(t => t.is_contiguous() ? t : t.contiguous())];

    private static void CopyBack(Tensor[] from, Tensor[] to)
    {
        for (int i = 0; i < to.Length; i++)
            if (!ReferenceEquals(from[i], to[i])) to[i].copy_(from[i]);
    }

    private static void Launch<T, TReal>(Tensor[] parameters, Tensor[] gradients, Tensor[] first, Tensor[] second, in AdamWSettings settings)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        var chunks = new AdamWChunks();
        // Gradients move from step to step, so the table is made anew.
        for (int i = 0; i < parameters.Length; i++)
            chunks.Add(Array<T>(parameters[i]), Array<T>(gradients[i]), Array<T>(first[i]), Array<T>(second[i]));
        using Tensor table = tensor(chunks.Rows, device: parameters[0].device);
        AdamWLauncher<T, TReal>.Run(Device(parameters[0]), Array<long>(table) with { Owner = (table, chunks.Owners) },
            settings.Update, settings.LearningRate, settings.Beta1, settings.Beta2,
            settings.WeightDecay, settings.Epsilon);
    }
}

/// <summary>The numbers of one AdamW update.</summary>
/// <param name="Update">t: which update of these parameters it is, from 1.</param>
/// <param name="LearningRate">lr</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="WeightDecay">wd</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
internal readonly record struct AdamWSettings(
    long Update, double LearningRate, double Beta1, double Beta2, double WeightDecay, double Epsilon);
