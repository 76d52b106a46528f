using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Optimization;

/// <summary>The library's fused AdamW, which TorchSharp has no method for, reached through a script.</summary>
internal static class AdamWUpdateComposed
{
    // The text must end in a line break. Numbers go in as a tensor: TorchSharp turns a number among the arguments into a native one whose
    // owner may be finalized, and the number freed, before the script reads it.
    private static readonly jit.CompilationUnit Script = jit.compile("""
        def adamw(params: List[Tensor], grads: List[Tensor], m: List[Tensor], v: List[Tensor], steps: List[Tensor], numbers: Tensor):
            no_max: List[Tensor] = []
            torch._fused_adamw_(params, grads, m, v, no_max, steps, lr=float(numbers[0]), beta1=float(numbers[1]), beta2=float(numbers[2]),
                                weight_decay=float(numbers[3]), eps=float(numbers[4]), amsgrad=False, maximize=False)

        """);

    public static void Apply(Tensor[] parameters, Tensor[] gradients, Tensor[] first, Tensor[] second, in AdamWSettings settings)
    {
        using Tensor count = tensor((float)settings.Update, device: parameters[0].device);
        var counts = new Tensor[parameters.Length];
        Array.Fill(counts, count);
        using Tensor numbers = tensor([settings.LearningRate, settings.Beta1, settings.Beta2, settings.WeightDecay, settings.Epsilon]);
        Script.invoke("adamw", parameters, gradients, first, second, counts, numbers);
        GC.KeepAlive(parameters);
        GC.KeepAlive(gradients);
        GC.KeepAlive(first);
        GC.KeepAlive(second);
        GC.KeepAlive(counts);
    }
}
