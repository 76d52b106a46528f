using ChemScale.Engine;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.SpookyNet;
using ChemScale.Tests.Models.ForceFields;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models;

public class SpookyNetTests
{
    private static readonly SpookyNetConfig Small = new() { Features = 8, Interactions = 2, Cutoff = 4, RadialFunctions = 6, MaxAtomicNumber = 10 };

    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "spookynet_*.npz"])]
    public void Energies_charges_forces_and_weight_gradients_of_a_force_loss_match_the_reference(string path)
    {
        using DisposeScope scope = NewDisposeScope();
        var fixture = new SpookyNetFixture(path);
        using SpookyNet model = fixture.Model();
        using GraphBatch batch = fixture.Batch();
        Same("q_atom", model.Charges(batch));
        ForceFieldOutput output = model.Evaluate(batch, createGraph: true);
        Same("E_eV", output.Energies);
        Same("F_eV", output.Forces!);

        Tensor energies = output.Energies * fixture.Unit, forces = output.Forces! * fixture.Unit;
        Tensor loss = (energies - fixture.File.Tensor("E0")).square().mean() + (forces - fixture.File.Tensor("F0")).square().mean();
        Gradients.Backward(loss);
        Same("loss", loss.reshape(1));
        Assert.That(model.PublishedWeights.Select(w => "w." + w.Name), Is.EquivalentTo(fixture.File.Names.Where(n => n.StartsWith("w.", StringComparison.Ordinal))));
        foreach ((string name, var weight) in model.PublishedWeights) Same("g." + name, weight.grad!);

        void Same(string name, Tensor actual) => Expect.Close(actual, fixture.File.Tensor(name), ofLargest: 1e-9, message: name);
    }

    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "spookynet_*.npz"])]
    public void Fixed_tables_match_the_reference(string path)
    {
        using DisposeScope scope = NewDisposeScope();
        var file = new NpzFile(path);
        Tensor electrons = file.Tensor("c.electron_config");
        using var model = new SpookyNet(Small with { MaxAtomicNumber = (int)electrons.shape[0] - 1 }, dtype: ScalarType.Float64);
        Expect.Close(model.Electrons, electrons, absolute: 1e-15);

        double[] logs = file.Doubles("c.bernstein_logc"), n = file.Doubles("c.bernstein_n"), v = file.Doubles("c.bernstein_v");
        Expect.Close(ExponentialBernsteinBasis.LogBinomials(logs.Length), logs, absolute: 1e-13);
        double[,] powers = ExponentialBernsteinBasis.Powers(logs.Length);
        // One more power of e^-r than in the polynomial: the weighting factor.
        for (int k = 0; k < logs.Length; k++) Assert.That((powers[0, k], powers[1, k]), Is.EqualTo((-n[k] - 1, v[k])));
    }

    [Test]
    public void The_radial_basis_is_a_partition_of_its_weighting_factor()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor d = linspace(0.1, 6, 50, dtype: ScalarType.Float64).unsqueeze(1), decay = tensor(new[] { 0.9 });
        Tensor basis = ExponentialBernsteinBasis.Apply(d, decay, tensor(ExponentialBernsteinBasis.Powers(9)), tensor(ExponentialBernsteinBasis.LogBinomials(9)));
        Expect.Close(basis.sum(1), (-d * decay).exp().squeeze(1), absolute: 1e-15);
    }

    [Test]
    public void Charge_and_spin_are_felt_and_charges_add_up()
    {
        using DisposeScope scope = NewDisposeScope();
        using SpookyNet model = Perturbed(Small);
        TestFrame neutral = TestFrame.Molecule(6, 4);
        TestFrame[] frames = [neutral, neutral with { Charge = 1 }, neutral with { Charge = -1 }, neutral with { Spin = 1 }, neutral with { Spin = -1 }];
        using GraphBatch batch = TestFrame.Batch(double.PositiveInfinity, frames);
        double[] energies = [.. model.Evaluate(batch).Energies.data<double>()];
        Assert.That(energies[..4].Distinct().Count(), Is.EqualTo(4));
        Expect.Close(energies[4], energies[3], absolute: 1e-12, message: "the sign of the spin");
        double[] totals = [.. model.Charges(batch).view(frames.Length, -1).sum(1).data<double>()];
        Expect.Close(totals, frames.Select(f => f.Charge), absolute: 1e-13);
    }

    [Test]
    public void Distant_charges_interact_as_point_charges()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor d = tensor(new[] { 0.5, 0.999, 3.0, 50.0 }).unsqueeze(1), products = full([4, 1], -0.6, dtype: ScalarType.Float64);
        double[] pair = [.. (2 * ShieldedCoulomb.Apply(d, products, 1, 3, double.PositiveInfinity)).data<double>()];
        const double Ke = CoulombConstant.ElectronVoltAngstrom;
        double[] expected = [-0.6 * Ke / Math.Sqrt(1.25), -0.6 * Ke / Math.Sqrt(1 + 0.999 * 0.999), -0.6 * Ke / 3, -0.6 * Ke / 50];
        Expect.Close(pair, expected, absolute: 1e-13);
    }

    [Test]
    public void Zbl_of_bare_nuclei_tends_to_their_Coulomb_repulsion()
    {
        using DisposeScope scope = NewDisposeScope();
        using SpookyNet model = new(Small, dtype: ScalarType.Float64);
        const double Distance = 1e-4;
        using GraphBatch batch = TestFrame.Batch(double.PositiveInfinity, new TestFrame([6, 8], [[0, 0, 0], [0, 0, Distance]]));
        // An untrained model is repulsion alone.
        Expect.Close(model.Evaluate(batch).Energies.item<double>(), 48 * CoulombConstant.ElectronVoltAngstrom / Distance, relative: 0.002);
    }

    [Test]
    public void Every_pair_in_molecules_of_any_size_agrees_with_finite_differences()
    {
        using DisposeScope scope = NewDisposeScope();
        using SpookyNet model = Perturbed(Small);
        TestFrame[] frames = [TestFrame.Molecule(6, 4, 4) with { Charge = 1 }, TestFrame.Molecule(1, 2), TestFrame.Molecule(3, 3) with { Spin = 1 }];
        using GraphBatch batch = TestFrame.Batch(double.PositiveInfinity, frames);
        Tensor forces = model.Evaluate(batch).Forces!;
        for (int axis = 0; axis < 3; axis++)
        {
            double h = 1e-3;
            double slope = (8 * (Energy(h) - Energy(-h)) - (Energy(2 * h) - Energy(-2 * h))) / (12 * h);
            Expect.Close(forces[2, axis].item<double>(), -slope, absolute: 1e-8 * Math.Max(1, Math.Abs(slope)));

            double Energy(double by)
            {
                using GraphBatch moved = TestFrame.Batch(double.PositiveInfinity, frames[0].Shifted(2, axis, by));
                return model.Evaluate(moved, forces: false).Energies.item<double>();
            }
        }
    }

    [Test]
    public void Missing_pairs_are_refused_where_charges_need_them()
    {
        using var model = new SpookyNet(Small);
        using GraphBatch near = TestFrame.Batch(2, TestFrame.Molecule(8, 1)), periodic = TestFrame.Batch(4, TestFrame.Crystal(3, 1));
        Assert.That(() => model.Evaluate(near), Throws.TypeOf<InputException>().With.Message.Contains("56 ordered pairs"));
        Assert.That(() => model.Evaluate(periodic), Throws.TypeOf<InputException>().With.Message.Contains("electrostaticCutoff"));
    }

    [Test]
    public void Keys_out_of_range_are_refused()
    {
        Assert.That(() => (Small with { MaxAtomicNumber = 87 }).Validate(), Throws.TypeOf<InputException>().With.Message.Contains("87"));
        Assert.That(() => (Small with { ElectrostaticCutoff = 3 }).Validate(), Throws.TypeOf<InputException>().With.Message.Contains("at least the cutoff"));
    }

    [Test]
    public void A_checkpoint_has_each_tensor_once_under_its_published_name()
    {
        using var model = new SpookyNet(Small);
        IEnumerable<string> published = model.PublishedWeights.Select(w => w.Name).Concat(model.PublishedBuffers.Select(b => b.Name));
        Assert.That(model.state_dict().Keys, Is.EquivalentTo(published.Append("reference_energies")));
    }

    [Test]
    public void Random_directions_are_orthogonal_in_blocks_and_follow_the_seed()
    {
        using DisposeScope scope = NewDisposeScope();
        using var one = new SpookyNet(Small with { RandomFeatures = 12 }, 3, ScalarType.Float64);
        using var same = new SpookyNet(Small with { RandomFeatures = 12 }, 3, ScalarType.Float64);
        Tensor omega = one.PublishedBuffers.First().Values, block = omega.narrow(1, 0, 8), overlap = block.t().matmul(block);
        Assert.That(omega.shape, Is.EqualTo(new long[] { 8, 12 }));
        Expect.Close(overlap, overlap.diag().diag(), absolute: 1e-12);
        Expect.Close(omega, same.PublishedBuffers.First().Values);
    }

    private static SpookyNet Perturbed(SpookyNetConfig config)
    {
        var model = new SpookyNet(config, 1, ScalarType.Float64);
        using var gradients = no_grad();
        using var generator = new Generator(5);
        foreach ((string name, var weight) in model.PublishedWeights.Where(w => w.Weight.count_nonzero().item<long>() == 0))
            weight.normal_(0, 0.2, generator);
        return model;
    }
}
