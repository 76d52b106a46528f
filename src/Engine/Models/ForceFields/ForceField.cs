using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Radial;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

/// <summary>
/// A neural force field: energies as sums over atoms, forces as their derivative, stress as their derivative by strain. Geometry enters
/// through the edge vectors alone, which makes translation invariance and the strain derivative hold by construction.
/// </summary>
public abstract class ForceField : nn.Module
{
    private readonly ScalarType dtype;

    private protected ForceField(string name, ForceFieldConfig config, ScalarType dtype, Device? device)
        : base(name)
    {
        config.Validate();
        Config = config;
        this.dtype = dtype;
        ReferenceEnergies = zeros(config.MaxAtomicNumber + 1, dtype: ScalarType.Float64, device: device).DetachFromDisposeScope();
        register_buffer("reference_energies", ReferenceEnergies);
    }

    public ForceFieldConfig Config { get; }

    /// <summary>(MaxAtomicNumber + 1) eV, float64: the energy of an atom of each element that the network need not learn. Zero until set.</summary>
    public Tensor ReferenceEnergies { get; }

    /// <summary>Every trainable number, summed from the real tensors.</summary>
    public long ParameterCount => parameters().Sum(p => p.numel());

    /// <summary>N: all but the element table, summed from the real tensors.</summary>
    public long NonEmbeddingParameters => ParameterCount - (Config.Parameters - Config.NonEmbeddingParameters);

    /// <summary>Trainable tensors under the names of the published implementation.</summary>
    public abstract IEnumerable<(string Name, Parameter Weight)> PublishedWeights { get; }

    /// <summary>Fixed tensors under those names; a file of weights need not have them.</summary>
    public virtual IEnumerable<(string Name, Tensor Values)> PublishedBuffers => [];

    /// <summary>Energies of the frames and, by differentiation, forces and stress. The output belongs to the caller's dispose scope.</summary>
    /// <param name="batch">Stays the caller's; must outlive the output's graph.</param>
    /// <param name="forces">Whether to differentiate by positions.</param>
    /// <param name="stress">Whether to differentiate by strain; the batch has cells.</param>
    /// <param name="createGraph">
    /// Whether forces and stress are themselves differentiated, by weights, in training. Without it, and with forces or stress, all of
    /// the output is detached.
    /// </param>
    /// <exception cref="InputException">An element the model does not know.</exception>
    public ForceFieldOutput Evaluate(GraphBatch batch, bool forces = true, bool stress = false, bool createGraph = false)
    {
        Config.RequireElements(batch.Elements, "frames");
        if (stress && batch.Volumes is null) throw new ArgumentException("stress of frames without cells", nameof(stress));
        using DisposeScope scope = NewDisposeScope();
        using var mode = set_grad_enabled(forces || stress || is_grad_enabled());

        Tensor positions = forces ? batch.Positions.detach().requires_grad_() : batch.Positions;
        Tensor vectors = EdgeVectors.Apply(positions, batch.Edges, batch.ShiftVectors);
        Tensor? strain = stress ? zeros([batch.Frames, 3, 3], dtype: ScalarType.Float64, device: positions.device, requires_grad: true) : null;
        if (strain is not null) vectors = Strained(vectors, strain, batch);
        Tensor energies = FrameSum(AtomEnergies(batch, vectors.to(dtype)), batch);
        if (!forces && !stress) return new ForceFieldOutput(energies.MoveToOuterDisposeScope(), null, null);

        Tensor[] inputs = [.. new[] { forces ? positions : null, strain }.OfType<Tensor>()];
        IList<Tensor> gradients = Gradients.Of([energies.sum()], inputs, retainGraph: createGraph, createGraph: createGraph);
        return new ForceFieldOutput(
            (createGraph ? energies : energies.detach()).MoveToOuterDisposeScope(),
            forces ? gradients[0].neg().MoveToOuterDisposeScope() : null,
            stress ? (gradients[^1] / batch.Volumes!.view(-1, 1, 1)).MoveToOuterDisposeScope() : null);
    }

    /// <summary>The network.</summary>
    /// <param name="batch">Its positions are not to be used: forces and stress come from <paramref name="edgeVectors"/>.</param>
    /// <param name="edgeVectors">(edges, 3) A, in the model's type</param>
    /// <returns>(atoms) eV, without reference energies</returns>
    protected abstract Tensor AtomEnergies(GraphBatch batch, Tensor edgeVectors);

    private static Tensor Strained(Tensor vectors, Tensor strain, GraphBatch batch)
    {
        Tensor symmetric = (strain + strain.transpose(1, 2)) * 0.5;
        Tensor frameOfEdge = batch.FrameOfAtom.index_select(0, batch.Edges.Receivers);
        return vectors + vectors.unsqueeze(1).bmm(symmetric.index_select(0, frameOfEdge)).squeeze(1);
    }

    /// <summary>In float64: one float32 ulp of a molecule's total energy is larger than the errors worth reporting.</summary>
    private Tensor FrameSum(Tensor atomEnergies, GraphBatch batch)
    {
        Tensor energies = atomEnergies.to(ScalarType.Float64) + ReferenceEnergies.index_select(0, batch.AtomicNumbers);
        return zeros(batch.Frames, dtype: ScalarType.Float64, device: energies.device).index_add(0, batch.FrameOfAtom, energies, 1);
    }
}
