using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Optimization;

/// <summary>
/// ATen operations over lists of tensors that TorchSharp has no methods for, reached through a script: one call a list, not one a tensor.
/// </summary>
internal static class FusedOps
{
    // Scripts know types by number only: 6 float32, 7 float64; and the text must end in a line break. Numbers go in as a tensor: TorchSharp
    // turns a number among the arguments into a native one whose owner may be finalized, and the number freed, before the script reads it.
    private static readonly jit.CompilationUnit Script = jit.compile("""
        def norm(tensors: List[Tensor]):
            return torch.linalg_vector_norm(torch.stack(torch._foreach_norm(tensors, 2.0)).to(7))

        def scale(tensors: List[Tensor], numbers: Tensor):
            torch._foreach_mul_(tensors, float(numbers[0]))

        def lerp(tensors: List[Tensor], targets: List[Tensor], numbers: Tensor):
            torch._foreach_lerp_(tensors, targets, float(numbers[0]))

        def round_to_bfloat16(source: Tensor, noise: Tensor, target: Tensor):
            mantissa, exponent = torch.frexp(source.to(6))
            target.copy_(torch.ldexp(torch.floor(mantissa * 256 + noise) / 256, exponent))

        """);

    /// <summary>L2 norm over all elements of all tensors, float64, on their device.</summary>
    public static Tensor Norm(Tensor[] tensors)
    {
        var norm = (Tensor)Script.invoke("norm", (object)tensors);
        GC.KeepAlive(tensors);
        return norm;
    }

    /// <summary>In place: each times <paramref name="factor"/>.</summary>
    public static void Scale(Tensor[] tensors, double factor) => Call("scale", [tensors], factor);

    /// <summary>In place: tensors += weight (targets - tensors).</summary>
    public static void Lerp(Tensor[] tensors, Tensor[] targets, double weight) => Call("lerp", [tensors, targets], weight);

    /// <summary>
    /// Rounds up or down to one of the two neighbours in bfloat16 (8 significant bits), up where the remainder and
    /// <paramref name="noise"/>, uniform in [0, 1), together reach 1.
    /// </summary>
    public static void RoundToBfloat16(Tensor source, Tensor noise, Tensor target)
    {
        Script.invoke("round_to_bfloat16", source, noise, target);
        GC.KeepAlive(source);
        GC.KeepAlive(noise);
        GC.KeepAlive(target);
    }

    private static void Call(string name, object[] lists, params double[] numbers)
    {
        using Tensor values = tensor(numbers);
        Script.invoke(name, [.. lists, values]);
        GC.KeepAlive(lists);
    }
}
