using System.Numerics;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.PaiNN;
using static ChemScale.Engine.Operators.Runs.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.PaiNN;

/// <summary>Hands tensors to the kernels of PaiNN's mixing: all contiguous, of one number type, in the kernels' order; null:
/// empty.</summary>
internal static class PaiNNMixingKernels
{
    /// <param name="mixed">(atoms, 3, 2 F)</param>
    /// <param name="epsilon">Keeps the norm differentiable at zero.</param>
    /// <param name="rest">The further arguments of the pass.</param>
    public static void Invariants(Tensor mixed, double epsilon, params Tensor[] rest)
    {
        if (mixed.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            new MixingLauncher<T, TReal>(Device(mixed), (int)mixed.size(2) / 2).Invariants(Array<T>(mixed), epsilon, Arrays<T>(rest));
    }

    /// <param name="features">F</param>
    /// <param name="tensors">The arguments of the pass.</param>
    public static void Update(long features, params Tensor?[] tensors)
    {
        Tensor first = tensors[0]!;
        if (first.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> => new MixingLauncher<T, TReal>(Device(first), (int)features).Update(Arrays<T>(tensors));
    }

    private static DeviceArray<T>[] Arrays<T>(Tensor?[] tensors)
        where T : unmanaged => [.. tensors.Select(Array<T>)];
}

/// <summary>The kernels of <see cref="PaiNNInvariants"/> as an autograd function. Input: [V | W].</summary>
internal sealed class PaiNNInvariantsKernelsFunction(double epsilon) : AutogradFunction
{
    public static (Tensor Norm, Tensor Product) Apply(Tensor mixed, double epsilon)
    {
        using Tensor contiguous = mixed.contiguous();
        Tensor[] outputs = new PaiNNInvariantsKernelsFunction(epsilon).Apply(contiguous);
        return (outputs[0], outputs[1]);
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor mixed = inputs[0]!, norm = empty(mixed.size(0), mixed.size(2) / 2, dtype: mixed.dtype, device: mixed.device),
            product = empty_like(norm);
        PaiNNMixingKernels.Invariants(mixed, epsilon, norm, product);
        if (context.NeedsGradient) context.Save(inputs);
        return [norm, product];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        Tensor mixed = context.Saved()[0]!;
        return new Gradient(epsilon).Apply(mixed, Given(gradients[0]), Given(gradients[1]));

        Tensor Given(Tensor? gradient) =>
            gradient?.contiguous() ?? zeros(mixed.size(0), mixed.size(2) / 2, dtype: mixed.dtype, device: mixed.device);
    }

    /// <summary>The backward pass, itself differentiable. Inputs: [V | W] and the gradients of norm and product.</summary>
    private sealed class Gradient(double epsilon) : AutogradFunction
    {
        protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
        {
            Tensor byMixed = empty_like(inputs[0]!);
            PaiNNMixingKernels.Invariants(inputs[0]!, epsilon, inputs[1]!, inputs[2]!, byMixed);
            if (context.NeedsGradient) context.Save(inputs);
            return [byMixed];
        }

        protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
        {
            if (gradients[0] is not { } along) return new Tensor?[3];
            Tensor?[] inputs = context.Saved();
            // A third derivative is wanted: the composed form has every order.
            if (is_grad_enabled()) return ComposedDerivatives.OfBackward(Composed, inputs.AsSpan(0, 1), inputs.AsSpan(1), gradients);
            Tensor[] by = [.. inputs.Select(t => empty_like(t!))];
            PaiNNMixingKernels.Invariants(inputs[0]!, epsilon, inputs[1]!, inputs[2]!, along.contiguous(), by[0], by[1], by[2]);
            return by;
        }

        private Tensor[] Composed(Tensor?[] inputs)
        {
            (Tensor norm, Tensor product) = PaiNNInvariants.Composed(inputs[0]!, epsilon);
            return [norm, product];
        }
    }
}

/// <summary>The kernels of <see cref="PaiNNUpdate"/> as an autograd function. Inputs: q, mu, [a | b | c], V . W, [V | W].</summary>
internal sealed class PaiNNUpdateKernelsFunction : AutogradFunction
{
    public static (Tensor Scalars, Tensor Vectors) Apply(Tensor scalars, Tensor vectors, Tensor context, Tensor product, Tensor mixed)
    {
        using Tensor q = scalars.contiguous(), mu = vectors.contiguous(), x = context.contiguous(), s = product.contiguous(),
            vw = mixed.contiguous();
        Tensor[] outputs = new PaiNNUpdateKernelsFunction().Apply([q, mu, x, s, vw]);
        return (outputs[0], outputs[1]);
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor scalars = empty_like(inputs[0]!), vectors = empty_like(inputs[1]!);
        PaiNNMixingKernels.Update(scalars.size(1), [.. inputs, scalars, vectors]);
        if (context.NeedsGradient) context.Save(inputs[2..]);
        return [scalars, vectors];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        Tensor?[] inputs = context.Saved();
        Tensor product = inputs[1]!;
        Tensor scalars = gradients[0]?.contiguous() ?? zeros_like(product);
        Tensor vectors = gradients[1]?.contiguous() ?? zeros(product.size(0), 3, product.size(1), dtype: product.dtype,
            device: product.device);
        // q and mu are added as they are: their gradients pass.
        return [gradients[0]?.alias(), gradients[1]?.alias(), .. new Gradient().Apply([.. inputs, scalars, vectors])];
    }

    /// <summary>The backward pass, itself differentiable. Inputs: [a | b | c], V . W, [V | W] and the gradients of both results.</summary>
    private sealed class Gradient : AutogradFunction
    {
        protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
        {
            Tensor[] by = [.. inputs.Take(3).Select(t => empty_like(t!))];
            PaiNNMixingKernels.Update(inputs[1]!.size(1), [.. inputs, .. by]);
            if (context.NeedsGradient) context.Save(inputs);
            return by;
        }

        protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
        {
            if (gradients.All(g => g is null)) return new Tensor?[5];
            Tensor?[] inputs = context.Saved();
            // A third derivative is wanted: the composed form has every order.
            if (is_grad_enabled()) return ComposedDerivatives.OfBackward(Composed, inputs.AsSpan(0, 3), inputs.AsSpan(3), gradients);
            Tensor[] by = [.. inputs.Select(t => empty_like(t!))];
            PaiNNMixingKernels.Update(inputs[1]!.size(1), [.. inputs, .. gradients.Select(g => g?.contiguous()), .. by]);
            return by;
        }

        private static Tensor[] Composed(Tensor?[] inputs)
        {
            // What is added as it is has no part in these gradients.
            Tensor product = inputs[1]!, scalars = zeros_like(product);
            Tensor vectors = zeros(product.size(0), 3, product.size(1), dtype: product.dtype, device: product.device);
            (Tensor newScalars, Tensor newVectors) = PaiNNUpdate.Composed(scalars, vectors, inputs[0]!, product, inputs[2]!);
            return [newScalars, newVectors];
        }
    }
}
