using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.SchNet;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

public class ShiftedSoftplusTests
{
    [Test]
    public void It_has_its_closed_form_far_from_zero_too()
    {
        double[] x = [-700, -30, -1, 0, 0.5, 19.9, 20.1, 39.9, 40.1, 700];
        using Tensor input = tensor(x), output = ShiftedSoftplus.Apply(input);
        double[] expected = [.. x.Select(v => Math.Max(v, 0) + Math.Log(1 + Math.Exp(-Math.Abs(v))) - Math.Log(2))];
        Expect.Close(output.data<double>().ToArray(), expected, absolute: 1e-13);
    }

    [Test]
    public void Both_derivatives_are_finite_in_single_precision()
    {
        using var scope = NewDisposeScope();
        Tensor x = tensor(new[] { -200f, -1, 39, 41, 200 }, requires_grad: true);
        Tensor slope = Gradients.Of([ShiftedSoftplus.Apply(x).sum()], [x], retainGraph: true, createGraph: true)[0];
        Tensor bend = Gradients.Of([slope.sum()], [x])[0];
        Expect.Close(slope.data<float>().ToArray(), new float[] { 0, 0.26894142f, 1, 1, 1 }, absolute: 1e-7f);
        Expect.Close(bend.data<float>().ToArray(), new float[] { 0, 0.19661194f, 0, 0, 0 }, absolute: 1e-7f);
    }
}
