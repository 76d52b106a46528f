using System.Numerics;
using ChemScale.Kernels.AdamW;
using ChemScale.Kernels.Maths;
using TorchSharp;
using static ChemScale.Engine.Operators.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>One AdamW update of many parameters, in place, in one call: by torch.optim.AdamW's formulas.</summary>
internal static class AdamWUpdate
{
    /// <param name="parameters">Written. They and the next three: of one shape each, of any strides.</param>
    /// <param name="gradients">Read.</param>
    /// <param name="first">First moments, written.</param>
    /// <param name="second">Second moments, written.</param>
    /// <param name="form">Which update, and how.</param>
    public static void Apply(Tensor[] parameters, Tensor[] gradients, Tensor[] first, Tensor[] second, in AdamWForm form)
    {
        using DisposeScope scope = NewDisposeScope();
        ScalarType type = parameters[0].dtype;
        // The library's fused update reads memory in order, whatever the strides.
        Tensor[] p = Ordered(parameters), g = Ordered(gradients), m = Ordered(first), v = Ordered(second);
        bool alike = System.Array.TrueForAll(p, t => t.dtype == type);
        if (!alike || !OperatorModes.UseKernels(parameters[0])) AdamWComposed.Apply(p, g, m, v, form);
        else if (type == ScalarType.Float32) Launch<float, F32>(p, g, m, v, form);
        else Launch<double, F64>(p, g, m, v, form);
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

    private static void Launch<T, TReal>(Tensor[] parameters, Tensor[] gradients, Tensor[] first, Tensor[] second, in AdamWForm form)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        var chunks = new AdamWChunks();
        // Gradients move from step to step, so the table is made anew.
        for (int i = 0; i < parameters.Length; i++)
            chunks.Add(Array<T>(parameters[i]), Array<T>(gradients[i]), Array<T>(first[i]), Array<T>(second[i]));
        using Tensor table = tensor(chunks.Rows, device: parameters[0].device);
        AdamWLauncher<T, TReal>.Run(Device(parameters[0]), Array<long>(table) with { Owner = (table, chunks.Owners) }, form.Update, form.LearningRate, form.Beta1, form.Beta2,
            form.WeightDecay, form.Epsilon);
    }
}
