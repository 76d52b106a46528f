using ChemScale.Engine.Models.Equivariant;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.Allegro;
using ChemScale.Engine.Operators.Forces;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>
/// Allegro (Musaelian et al. 2023, Nat. Commun. 14, 579): a strictly local equivariant force field. Directed edges, not atoms, carry latent
/// scalars and tensors; in each layer the tensors are multiplied with the environment of the edge's receiver, a sum over its edges, and the
/// scalars that come of it update the latent ones, which give the edge its energy. Nothing passes beyond the cutoff.
/// </summary>
internal sealed class Allegro : ForceField
{
    /// <summary>1 / sqrt(mean of silu(z)^2) over normal z, as the published implementation sampled it once; exactly it is 1.6765.</summary>
    private const double SiluGain = 1.6791767923989418;

    private readonly AllegroRadialBasis radialBasis;
    private readonly AllegroTwoBody twoBody;
    private readonly AllegroLayer[] layers;
    private readonly AllegroLatent[] latents;
    private readonly AllegroMlp energy;
    private readonly SphericalHarmonics harmonics;
    private readonly Tensor orders;
    private readonly Tensor elementOfNumber;
    private readonly int elements;
    private readonly Tensor environmentNorms;
    private readonly Tensor updates;
    private readonly Tensor siluGain;

    /// <param name="config">Shape; validated.</param>
    /// <param name="seed">Initial weights: uniform of unit variance in the perceptrons, normal(0, 1) where paths are mixed.</param>
    /// <param name="dtype">float32 or float64.</param>
    /// <param name="device">Where the weights live; null: the CPU.</param>
    public Allegro(AllegroConfig config, long seed = 0, ScalarType dtype = ScalarType.Float32, Device? device = null)
        : base(nameof(Allegro), config, dtype, device)
    {
        Config = config;
        using var generator = new Generator((ulong)seed, device);
        var init = new ParameterInit(generator, 1, dtype, device);
        var root = new ModulePath(this);
        environmentNorms = root.AddBuffer("env_sum_normalizations", Filled(config.Layers, 1 / Math.Sqrt(config.AverageNeighbors)));
        updates = root.AddBuffer("latent_resnet_update_params", Filled(config.Layers, 0));
        siluGain = root.AddBuffer("silu_cst", Filled(1, SiluGain));

        int[] numbers = config.ElementList();
        elements = numbers.Length;
        AllegroPaths[] paths = AllegroPaths.Plan(config.LMax, config.Layers);
        ModulePath at = root.At("func.allegro");
        twoBody = new AllegroTwoBody(at.At("latents.0"), elements, config.RadialFunctions, config.TwoBodyWidthList(), init, siluGain);
        radialBasis = new AllegroRadialBasis(root, config.Cutoff, config.RadialFunctions, dtype, device);
        layers = [.. paths.Select((p, t) => new AllegroLayer(at, config, t, p, init, dtype, device))];
        latents = [.. paths.Select((p, t) => new AllegroLatent(LatentPath(t), config, p.Scalars, init, siluGain))];
        int[] energyWidths = [config.LatentWidthList()[^1], .. config.EnergyWidthList(), 1];
        energy = new AllegroMlp(root.At("func.edge_eng._module"), energyWidths, init, gain: null);

        harmonics = new SphericalHarmonics(config.LMax, HarmonicScale.Component, dtype, device);
        orders = Indices(Enumerable.Range(0, harmonics.Components).Select(j => (int)Math.Sqrt(j)));
        elementOfNumber = Indices(Enumerable.Range(0, config.MaxAtomicNumber + 1).Select(z => Math.Max(0, Array.IndexOf(numbers, z))));

        ModulePath LatentPath(int layer) => at.At(layer < paths.Length - 1 ? $"latents.{layer + 1}" : "final_latent");

        Tensor Indices(IEnumerable<int> values) => tensor(values.Select(v => (long)v).ToArray(), device: device).DetachFromDisposeScope();

        Tensor Filled(long count, double value) => full(count, value, dtype: dtype, device: device).DetachFromDisposeScope();
    }

    public new AllegroConfig Config { get; }

    /// <inheritdoc/>
    /// <remarks>The published linear layer after the last tensor product is not among them: nothing reads it.</remarks>
    public override IEnumerable<(string Name, Parameter Weight)> PublishedWeights => named_parameters().Select(p => (p.name, p.parameter))
        .OrderBy(p => p.name == "func.allegro.latents.0._forward._weight_0" ? 0 : 1);

    /// <inheritdoc/>
    public override IEnumerable<(string Name, Tensor Values)> PublishedBuffers =>
    [
        ("mean", radialBasis.Mean), ("inv_std", radialBasis.InverseDeviation), ("env_sum_normalizations", environmentNorms),
        ("latent_resnet_update_params", updates), ("silu_cst", siluGain),
    ];

    /// <summary>What is known of the edges before the first layer, in the current dispose scope.</summary>
    /// <param name="edges">The edges.</param>
    /// <param name="edgeVectors">(edges, 3) A</param>
    internal AllegroEdges Describe(EdgeList edges, Tensor edgeVectors)
    {
        Tensor distances = EdgeDistances.Apply(edgeVectors);
        Tensor envelope = PolynomialCutoff.Apply(distances, Config.Cutoff, Config.CutoffPower);
        return new AllegroEdges(edges, envelope, radialBasis.Forward(distances, envelope), harmonics.Of(edgeVectors / distances), orders);
    }

    /// <summary>(edges, D): the latent features that energies are read from.</summary>
    internal Tensor Latents(in AllegroEdges edges, Tensor atomicNumbers)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor element = elementOfNumber.index_select(0, atomicNumbers);
        Tensor pairs = element.index_select(0, edges.Edges.Receivers) * elements + element.index_select(0, edges.Edges.Senders);
        Tensor latent = twoBody.Forward(pairs, edges.Radial) * edges.Envelope;
        // Old and new features are taken as independent: the root keeps their variance.
        Tensor share = updates.sigmoid(), kept = (share * share + 1).rsqrt(), added = share * kept;
        Tensor? features = null;
        for (int t = 0; t < layers.Length; t++)
        {
            (Tensor scalars, features) = layers[t].Forward(latent, features, edges, environmentNorms.narrow(0, t, 1));
            latent = latent * kept.narrow(0, t, 1) + latents[t].Forward(latent, scalars) * (edges.Envelope * added.narrow(0, t, 1));
        }
        return latent.MoveToOuterDisposeScope();
    }

    /// <summary>(edges) eV, of latent features (edges, D).</summary>
    internal Tensor EdgeEnergies(Tensor latents)
    {
        using DisposeScope scope = NewDisposeScope();
        return latents.mm(energy.Collapsed()).squeeze(1).MoveToOuterDisposeScope();
    }

    /// <summary>(atoms) eV, of edge energies (edges).</summary>
    internal Tensor SumOverNeighbors(Tensor edgeEnergies, EdgeList edges)
    {
        using Tensor sums = ReceiverSum.Apply(edgeEnergies, edges);
        return sums / Math.Sqrt(Config.AverageNeighbors);
    }

    /// <inheritdoc/>
    protected override Tensor AtomEnergies(GraphBatch batch, Tensor edgeVectors)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor latent = Latents(Describe(batch.Edges, edgeVectors), batch.AtomicNumbers);
        return SumOverNeighbors(EdgeEnergies(latent), batch.Edges).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    private protected override IForcePasses? MakePasses() => new AllegroForceWeights(Settings(), Inputs(null), elementOfNumber, ReferenceEnergies).Passes();

    /// <summary>An edge's two directions differ in all but their distance.</summary>
    private protected override PairList Pairs(GraphBatch batch) => batch.Edges.OneWay;

    private protected override (Tensor Energies, Tensor ByVectors)? WithDerivative(GraphBatch batch, Tensor pairVectors)
    {
        (AllegroSettings settings, AllegroAtoms atoms, Tensor?[] inputs) = Passed(batch, pairVectors);
        return AllegroEnergies.Has(inputs) ? AllegroEnergies.Apply(settings, batch.Edges, atoms, inputs) : null;
    }

    /// <summary>What <see cref="AllegroEnergies"/> takes.</summary>
    internal (AllegroSettings Settings, AllegroAtoms Atoms, Tensor?[] Inputs) Passed(GraphBatch batch, Tensor edgeVectors) =>
        (Settings(), new AllegroAtoms(elementOfNumber, batch.AtomicNumbers), Inputs(edgeVectors));

    /// <summary>As <see cref="AllegroEnergies"/> has them.</summary>
    private Tensor?[] Inputs(Tensor? edgeVectors) =>
    [
        edgeVectors, radialBasis.Mean, radialBasis.InverseDeviation, environmentNorms, updates, siluGain, radialBasis.Frequencies, .. twoBody.Weights,
        .. layers.SelectMany((layer, t) => (Tensor[])[.. layer.Weights, .. latents[t].Weights]), .. energy.Weights,
    ];

    private AllegroSettings Settings() => new(
        Config.Cutoff, Config.CutoffPower, Config.AverageNeighbors, elements, Config.Features, harmonics.Polynomials, [.. layers.Select(layer => layer.Product)],
        twoBody.Weights.Count, latents[0].Weights.Count, energy.Weights.Count);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (AllegroLayer layer in layers) layer.Dispose();
            harmonics.Dispose();
            orders.Dispose();
            elementOfNumber.Dispose();
        }
        base.Dispose(disposing);
    }
}

/// <summary>What Allegro's layers need to know of the edges.</summary>
/// <param name="Edges">Which atoms they join.</param>
/// <param name="Envelope">(edges, 1) cutoff function; zero from the cutoff on</param>
/// <param name="Radial">(edges, K) normalised radial basis times the envelope</param>
/// <param name="Harmonics">(edges, (L + 1)^2) of the directions</param>
/// <param name="Orders">((L + 1)^2) int64: l of each component</param>
internal readonly record struct AllegroEdges(EdgeList Edges, Tensor Envelope, Tensor Radial, Tensor Harmonics, Tensor Orders);

/// <summary>
/// An edge's first latent features, from the elements of both atoms and their distance. The element of each atom enters the first matrix
/// as a row of it, one set of rows for receivers and one for senders: what one-hot vectors would pick.
/// </summary>
internal sealed class AllegroTwoBody
{
    private readonly AllegroMlp mlp;
    private readonly int elements;
    private readonly int radialFunctions;

    public AllegroTwoBody(ModulePath at, int elements, int radialFunctions, IReadOnlyList<int> widths, ParameterInit init, Tensor gain)
    {
        (this.elements, this.radialFunctions) = (elements, radialFunctions);
        mlp = new AllegroMlp(at, [2 * elements + radialFunctions, .. widths], init, gain);
    }

    public IReadOnlyList<Parameter> Weights => mlp.Weights;

    /// <param name="pairs">(edges) int64: element of the receiver times the number of elements, plus element of the sender</param>
    /// <param name="radial">(edges, K)</param>
    /// <returns>(edges, D)</returns>
    public Tensor Forward(Tensor pairs, Tensor radial)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor matrix = mlp.Matrix(0);
        Tensor receivers = matrix.narrow(0, 0, elements), senders = matrix.narrow(0, elements, elements);
        Tensor rows = (receivers.unsqueeze(1) + senders.unsqueeze(0)).view(elements * elements, matrix.size(1));
        Tensor hidden = rows.index_select(0, pairs).addmm(radial, matrix.narrow(0, 2 * elements, radialFunctions));
        return mlp.AfterFirst(hidden).MoveToOuterDisposeScope();
    }
}
