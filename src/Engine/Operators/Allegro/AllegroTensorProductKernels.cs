using System.Numerics;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Kernels.Allegro;
using static ChemScale.Engine.Operators.Runs.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>Which of the three factors of S = sum of C_kij z_e,k x_e,i y_receiver(e),j is made from the other two.</summary>
internal enum ProductFactor
{
    /// <summary>z (edges, K, U) from x and y</summary>
    Output,

    /// <summary>x (edges, I, U) from z and y</summary>
    Left,

    /// <summary>y (atoms, J, U) from x and z</summary>
    Right,
}

/// <summary>
/// The kernels of <see cref="AllegroTensorProduct"/> as an autograd function: a derivative of S by one factor, whose own derivatives are
/// those by the other factors. Derivatives of every order run through it.
/// </summary>
internal sealed class AllegroTensorProductKernelsFunction(EdgeList edges, TensorProductTable table, ProductFactor factor) : AutogradFunction
{
    /// <param name="first">x, z or x, as the factor says</param>
    /// <param name="second">y, y or z</param>
    /// <param name="edges">The edges.</param>
    /// <param name="table">C</param>
    /// <param name="factor">What to make.</param>
    public static Tensor Apply(Tensor first, Tensor second, EdgeList edges, TensorProductTable table, ProductFactor factor)
    {
        using Tensor p = first.contiguous(), q = second.contiguous();
        return new AllegroTensorProductKernelsFunction(edges, table, factor).Apply(p, q)[0];
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor p = inputs[0]!, q = inputs[1]!;
        TensorProductTerms terms = table.Terms(factor);
        long rows = factor == ProductFactor.Right ? edges.Atoms : edges.Count;
        Tensor result = empty(rows, terms.Components, p.size(2), dtype: p.dtype, device: p.device);
        if (p.dtype == ScalarType.Float32) Run<float>();
        else Run<double>();
        if (context.NeedsGradient) context.Save(inputs);
        return [result];

        void Run<T>()
            where T : unmanaged, INumber<T>
        {
            var arrays = new ProductTerms<T>(
                Array<int>(terms.Starts), Array<int>(terms.First), Array<int>(terms.Second), Array<T>(terms.Values), terms.Firsts,
                terms.Seconds);
            var launcher = new TensorProductLauncher<T>(Device(p), arrays, (int)p.size(2));
            if (factor == ProductFactor.Right) launcher.ByReceivers(Array<long>(edges.RowStarts), Array<T>(p), Array<T>(q),
                Array<T>(result));
            else launcher.ByEdges(Array<long>(edges.Receivers), Array<T>(p), Array<T>(q), Array<T>(result));
        }
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        if (gradients[0] is not { } g) return new Tensor?[2];
        Tensor?[] inputs = context.Saved();
        Tensor p = inputs[0]!, q = inputs[1]!;
        return factor switch
        {
            ProductFactor.Output => [Make(g, q, ProductFactor.Left), Make(p, g, ProductFactor.Right)],
            ProductFactor.Left => [Make(g, q, ProductFactor.Output), Make(g, p, ProductFactor.Right)],
            _ => [Make(q, g, ProductFactor.Left), Make(p, g, ProductFactor.Output)],
        };

        Tensor Make(Tensor first, Tensor second, ProductFactor what) => Apply(first, second, edges, table, what);
    }
}
