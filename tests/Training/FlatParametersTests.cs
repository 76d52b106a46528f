using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Training.Optimization;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Tests.Training;

/// <summary>Parameters and gradients in one piece of memory each.</summary>
public class FlatParametersTests
{
    private static readonly ChemGptConfig Config = new() { Layers = 2, Width = 32, Heads = 16, Positions = 12, VocabularySize = 11 };

    private DisposeScope scope = null!;

    [SetUp]
    public void Open() => scope = NewDisposeScope();

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        TestScope.Reset();
    }

    [Test]
    public void Gradients_in_their_places_are_those_that_autograd_leaves([Values] bool twice, [Values(OperatorMode.Host, OperatorMode.Composed)] OperatorMode mode,
        [Values] bool said)
    {
        TestScope.Mode(mode);
        using var model = new ChemGpt(Config, seed: 3, dtype: ScalarType.Float64);
        using var rows = new PackedRows([0, 4, 9]);
        (string Name, Parameter Value)[] named = [.. model.named_parameters().Select(p => (p.name, p.parameter))];
        Gradients.Backward(Loss(0));
        if (twice) Gradients.Backward(Loss(1));
        Tensor[] expected = [.. named.Select(p => p.Value.grad!.clone())];
        Tensor[] weights = [.. named.Select(p => p.Value.detach().clone())];

        using var flat = new FlatParameters([.. named.Select(p => p.Value)]);
        for (int i = 0; i < named.Length; i++) Assert.That(named[i].Value.Equals(weights[i]), named[i].Name);
        flat.Clear();
        flat.Backward(said ? flat.Loss(() => Loss(0)) : Loss(0));
        if (twice) flat.Backward(said ? flat.Loss(() => Loss(1)) : Loss(1));
        flat.Collect();
        double squares = 0;
        for (int i = 0; i < named.Length; i++)
        {
            using Tensor found = flat.Gradient(i);
            Assert.That(flat.Used(i), named[i].Name);
            Expect.Close(found, expected[i], absolute: 1e-14, relative: 1e-12, message: named[i].Name);
            squares += expected[i].pow(2).sum().item<double>();
        }
        Expect.Close(flat.Norm(), Math.Sqrt(squares), relative: 1e-12);

        Tensor Loss(int shift)
        {
            Tensor ids = (arange(9, dtype: ScalarType.Int64) + shift).remainder(11), positions = tensor(new long[] { 0, 1, 2, 3, 0, 1, 2, 3, 4 });
            return model.Loss(ids, positions, rows, (ids + 1).remainder(11));
        }
    }

    [Test]
    public void Parameters_that_are_no_variables_have_no_gradient_without_their_trainer()
    {
        TestScope.Mode(OperatorMode.Host);
        using var model = new ChemGpt(Config, seed: 3);
        using var rows = new PackedRows([0, 9]);
        using var flat = new FlatParameters([.. model.parameters().Cast<Parameter>()]);
        Tensor ids = arange(9, dtype: ScalarType.Int64), loss = flat.Loss(() => model.Loss(ids, ids, rows, ids));
        Assert.That(() => Gradients.Backward(loss), Throws.InstanceOf<BackwardException>().With.InnerException.Message.Contains("has no place"));
        flat.Clear();
        flat.Backward(flat.Loss(() => model.Loss(ids, ids, rows, ids)));
        flat.Collect();
        Assert.That(Enumerable.Range(0, flat.Count).All(flat.Used));
    }

    [Test]
    public void Frozen_parameters_stay_out_whether_or_not_any_variable_is_left()
    {
        TestScope.Mode(OperatorMode.Host);
        using var model = new ChemGpt(Config, seed: 3, dtype: ScalarType.Float64);
        using var rows = new PackedRows([0, 9]);
        Tensor ids = arange(9, dtype: ScalarType.Int64);
        // Only one matrix of a layer is trained: nothing that comes into the layers wants a gradient.
        (string Name, Parameter Value)[] named = [.. model.named_parameters().Select(p => (p.name, p.parameter))];
        (string _, Parameter one) = named.First(p => p.Name.Contains("1.") && p.Value.dim() == 2);
        foreach ((_, Parameter value) in named) value.requires_grad = ReferenceEquals(value, one);
        Gradients.Backward(model.Loss(ids, ids, rows, ids));
        Tensor expected = one.grad!.clone();
        using var flat = new FlatParameters([one]);
        flat.Clear();
        flat.Backward(flat.Loss(() => model.Loss(ids, ids, rows, ids)));
        flat.Collect();
        Expect.Close(flat.Gradient(0), expected, absolute: 1e-14, relative: 1e-12);
        Assert.That(named.Where(p => !ReferenceEquals(p.Value, one)).All(p => p.Value.grad is null));
    }

    [Test]
    public void Parameters_without_a_gradient_are_told_from_those_that_have_one()
    {
        var parameters = Enumerable.Range(0, 4).Select(i => new Parameter(ones(3 + i))).ToArray();
        using var flat = new FlatParameters(parameters);
        flat.Clear();
        flat.Backward(parameters[0].sum() + parameters[2].sum() * 2 + parameters[3].sum());
        flat.Collect();
        Assert.That(Enumerable.Range(0, 4).Select(flat.Used), Is.EqualTo(new[] { true, false, true, true }));
        (int First, long Length)[] runs = [.. flat.Runs(_ => 0).Select(r => (r.First, r.Where.Length))];
        Assert.That(runs.Select(r => r.First), Is.EqualTo(new[] { 0, 2 }));
        Expect.Close(flat.Norm(), Math.Sqrt(3 + 5 * 4 + 6), relative: 1e-6);
        flat.Clear();
        Assert.That(parameters.All(p => p.grad is null));
    }

    [Test]
    public void Parameters_of_several_types_keep_their_values()
    {
        Parameter[] parameters = [new(arange(5, dtype: ScalarType.Float32)), new(arange(3, dtype: ScalarType.Float64)), new(arange(35, dtype: ScalarType.Float32).view(5, 7).t())];
        double[][] before = [.. parameters.Select(Values)];
        using (new FlatParameters(parameters))
        {
        }
        for (int i = 0; i < parameters.Length; i++) Assert.That(Values(parameters[i]), Is.EqualTo(before[i]), $"parameter {i}, after its places are given back");

        static double[] Values(Parameter p) => [.. p.detach().contiguous().to(ScalarType.Float64).data<double>()];
    }
}
