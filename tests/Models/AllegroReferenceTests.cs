using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Allegro;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Radial;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models;

/// <summary>Against what the published implementation computes.</summary>
public class AllegroReferenceTests
{
    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "allegro_*.npz"])]
    public void Energies_forces_and_weight_gradients_of_a_force_loss_match(string path)
    {
        using DisposeScope scope = NewDisposeScope();
        var fixture = new AllegroFixture(path);
        using Allegro model = fixture.Model();
        using GraphBatch batch = fixture.Batch();
        ForceFieldOutput output = model.Evaluate(batch, createGraph: true);
        Same("E", output.Energies);
        Same("F", output.Forces!);

        Tensor energyErrors = output.Energies - fixture.File.Tensor("E0"), forceErrors = output.Forces! - fixture.File.Tensor("F0");
        Tensor loss = energyErrors.square().mean() + forceErrors.square().mean();
        Gradients.Backward(loss);
        Same("loss", loss.reshape(1));
        string[] names = [.. fixture.File.Names.Where(n => n.StartsWith("w.", StringComparison.Ordinal)).Select(n => n[2..])];
        Assert.That(model.PublishedWeights.Select(w => w.Name).Append(fixture.UnusedWeight), Is.EquivalentTo(names));
        foreach ((string name, var weight) in model.PublishedWeights) Same("g." + name, weight.grad!);
        Assert.That(fixture.File.Doubles("g." + fixture.UnusedWeight), Is.All.Zero);

        void Same(string name, Tensor actual) => AssertSame(fixture.File, name, actual);
    }

    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "allegro_*.npz"])]
    public void What_edges_carry_matches(string path)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable gradients = no_grad();
        var fixture = new AllegroFixture(path);
        using Allegro model = fixture.Model();
        using GraphBatch batch = fixture.Batch();
        AllegroEdges edges = model.Describe(batch.Edges, EdgeVectors.Apply(batch.Positions, batch.Edges, null));
        Same("edge_radial_head", Head(edges.Radial));
        Same("edge_sh_head", Head(edges.Harmonics));
        Tensor latents = model.Latents(edges, batch.AtomicNumbers), energies = model.EdgeEnergies(latents);
        Same("edge_features_head", Head(latents));
        Same("edge_energy", energies);
        Same("e_atom", model.SumOverNeighbors(energies, batch.Edges));

        Tensor Head(Tensor values) => values.narrow(0, 0, fixture.File.Shape("edge_radial_head")[0]);

        void Same(string name, Tensor actual) => AssertSame(fixture.File, name, actual);
    }

    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "allegro_*.npz"])]
    public void Fixed_numbers_of_a_new_model_match(string path)
    {
        using DisposeScope scope = NewDisposeScope();
        var fixture = new AllegroFixture(path);
        using var model = new Allegro(fixture.Config, dtype: ScalarType.Float64);
        foreach ((string name, Tensor values) in model.PublishedBuffers) AssertSame(fixture.File, "c." + name, values);
        Assert.That(fixture.File.Doubles("c.per_layer_cutoffs"), Is.All.EqualTo(fixture.Config.Cutoff));
        Assert.That(model.ParameterCount, Is.EqualTo(fixture.Config.Parameters));
    }

    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "allegro_*.npz"])]
    public void Coupling_coefficients_match(string path)
    {
        using DisposeScope scope = NewDisposeScope();
        var fixture = new AllegroFixture(path);
        AllegroPaths[] layers = AllegroPaths.Plan(fixture.Config.LMax, fixture.Config.Layers);
        for (int t = 0; t < layers.Length; t++)
        {
            AllegroPaths paths = layers[t];
            using TensorProductTable table = paths.Table(ScalarType.Float64);
            Tensor expected = fixture.File.Tensor($"c.allegro.tps.{t}._big_w3j");
            Assert.That(table.IsDiagonal, Is.EqualTo(expected.dim() == 2));
            var dense = new double[table.Outputs, table.Left, table.Right];
            foreach (TensorProductEntry e in table.Entries) dense[e.Output, e.Left, e.Right] += e.Value;
            Tensor matrix = table.IsDiagonal ? tensor(dense).diagonal(0, 1, 2) : tensor(dense);
            // The file has a path's components side by side, we have a component's paths.
            Tensor[] outputs = matrix.split([.. paths.Outputs.Zip(paths.Counts, (o, n) => (long)o.Components * n)]);
            Tensor pathFirst = cat([.. outputs.Select((m, o) =>
                m.reshape(paths.Outputs[o].Components, paths.Counts[o], -1).transpose(0, 1).flatten(0, 1))]);
            Expect.Close(pathFirst.view(expected.shape), expected, absolute: 1e-13);
        }
    }

    private static void AssertSame(NpzFile file, string name, Tensor actual) =>
        Expect.Close(actual, file.Tensor(name), ofLargest: 1e-9, message: name);
}
