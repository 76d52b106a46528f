using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Forces;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
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
        Require(batch);
        if (stress && batch.Volumes is null) throw new ArgumentException("stress of frames without cells", nameof(stress));
        if (createGraph && forces && WithDerivatives(batch, stress) is { } passed) return passed;
        bool wantsGraph = createGraph || (!forces && !stress && is_grad_enabled());
        if (!wantsGraph && ByPasses(batch, forces, stress) is { } output) return output;
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

    /// <summary>
    /// Passes that need no graph, where the mode of the run and the model have them; else null. They have copies of the weights as these are now.
    /// Dispose of them.
    /// </summary>
    internal IForcePasses? Passes() =>
        ReferenceEnergies.device_type == DeviceType.CPU && !OperatorModes.UseKernels(ReferenceEnergies) && OperatorModes.UseHost(ReferenceEnergies) ? MakePasses() : null;

    /// <summary>Passes over the weights; null: there are none for this model.</summary>
    private protected virtual IForcePasses? MakePasses() => null;

    /// <summary>The network.</summary>
    /// <param name="batch">Its positions are not to be used: forces and stress come from <paramref name="edgeVectors"/>.</param>
    /// <param name="edgeVectors">(edges, 3) A, in the model's type</param>
    /// <returns>(atoms) eV, without reference energies</returns>
    protected abstract Tensor AtomEnergies(GraphBatch batch, Tensor edgeVectors);

    /// <exception cref="InputException">The batch does not have the edges that the network needs.</exception>
    private protected virtual void Require(GraphBatch batch)
    {
    }

    /// <summary>The pairs whose vectors <see cref="WithDerivative"/> takes.</summary>
    private protected virtual PairList Pairs(GraphBatch batch) => batch.Edges.Pairs;

    /// <summary>The network and its derivative in one operation, where it has passes for that: what training on forces takes.</summary>
    /// <param name="batch">As above.</param>
    /// <param name="pairVectors">(pairs, 3) A, in the model's type, without a gradient</param>
    /// <returns>(atoms) eV, and of their sum the derivative by the vectors; both differentiable by weights. null: there are none</returns>
    private protected virtual (Tensor Energies, Tensor ByVectors)? WithDerivative(GraphBatch batch, Tensor pairVectors) => null;

    /// <summary>Forces and stress are linear in the derivative by the pairs' vectors.</summary>
    private ForceFieldOutput? WithDerivatives(GraphBatch batch, bool stress)
    {
        using DisposeScope scope = NewDisposeScope();
        PairList pairs = Pairs(batch);
        Tensor vectors = EdgeVectors.Apply(batch.Positions, batch.Edges, batch.ShiftVectors).index_select(0, pairs.Edges);
        if (WithDerivative(batch, vectors.to(dtype)) is not { } found) return null;
        Tensor by = found.ByVectors.to(ScalarType.Float64), receivers = pairs.Receivers.narrow(0, 0, pairs.Count);
        Tensor forces = zeros_like(batch.Positions).index_add(0, receivers, by, 1).index_add(0, pairs.Senders.narrow(0, 0, pairs.Count), by, -1);
        Tensor? virial = null;
        if (stress)
        {
            Tensor ofPairs = vectors.unsqueeze(2) * by.unsqueeze(1);
            Tensor sums = zeros([batch.Frames, 3, 3], dtype: ScalarType.Float64, device: by.device)
                .index_add(0, batch.FrameOfAtom.index_select(0, receivers), ofPairs, 1);
            virial = (sums + sums.transpose(1, 2)) * 0.5 / batch.Volumes!.view(-1, 1, 1);
        }
        return new ForceFieldOutput(FrameSum(found.Energies, batch).MoveToOuterDisposeScope(), forces.MoveToOuterDisposeScope(), virial?.MoveToOuterDisposeScope());
    }

    /// <summary>Without a graph; null where that cannot be.</summary>
    private ForceFieldOutput? ByPasses(GraphBatch batch, bool forces, bool stress)
    {
        if (batch.Positions.device_type != DeviceType.CPU) return null;
        using IForcePasses? passes = Passes();
        if (passes is null) return null;
        using FramePairs? pairs = FramePairs.Of(batch.Edges, batch.Positions, batch.ShiftVectors, batch.AtomicNumbers, batch.AtomsPerFrame, Config.NeighborCutoff);
        if (pairs is null) return null;
        batch.Charges?.data<double>().ToArray().CopyTo(pairs.Charges, 0);
        batch.Spins?.data<double>().ToArray().CopyTo(pairs.Spins, 0);
        var sums = new ForceSums(new double[batch.Frames], forces ? new double[3 * batch.Atoms] : null, stress ? new double[9 * batch.Frames] : null);
        passes.Evaluate(pairs, sums);
        using DisposeScope scope = NewDisposeScope();
        return new ForceFieldOutput(
            tensor(sums.Energies).MoveToOuterDisposeScope(),
            sums.Forces is null ? null : tensor(sums.Forces).view(-1, 3).MoveToOuterDisposeScope(),
            sums.StrainGradients is null ? null : (tensor(sums.StrainGradients).view(-1, 3, 3) / batch.Volumes!.view(-1, 1, 1)).MoveToOuterDisposeScope());
    }

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

/// <summary>What every force field has: its reach and which elements it knows.</summary>
public abstract record ForceFieldConfig
{
    /// <summary>Whether a frame's charge and spin enter.</summary>
    internal virtual bool ReadsCharge => false;

    /// <summary>A</summary>
    public double Cutoff { get; init; } = 5;

    /// <summary>A: how far apart the atoms of an edge may be; infinite: every pair of a frame.</summary>
    public virtual double NeighborCutoff => Cutoff;

    /// <summary>The element table has a row for each atomic number from 0 to this.</summary>
    public int MaxAtomicNumber { get; init; } = 99;

    /// <summary>Every trainable number.</summary>
    public abstract long Parameters { get; }

    /// <summary>N of the scaling laws: all but the element table.</summary>
    public abstract long NonEmbeddingParameters { get; }

    /// <summary>What one pass to energies costs.</summary>
    public abstract FlopCount Flops { get; }

    /// <summary>How the model is called in its paper.</summary>
    public abstract string Title { get; }

    /// <summary>The same model at another capacity.</summary>
    /// <param name="depth">Interaction layers.</param>
    /// <param name="width">Features.</param>
    public abstract ForceFieldConfig Shaped(int depth, int width);

    /// <summary>The same model for certain data, where its shape depends on them.</summary>
    /// <param name="elements">Atomic numbers that occur.</param>
    /// <param name="neighbors">Of an atom on average, within the cutoff; null where that is not known.</param>
    public virtual ForceFieldConfig Fitted(IEnumerable<int> elements, double? neighbors) => this;

    /// <summary>A model of this shape with fresh weights.</summary>
    /// <param name="seed">Of the weights.</param>
    /// <param name="dtype">float32 or float64.</param>
    /// <param name="device">Where the weights live; null: the CPU.</param>
    /// <exception cref="InputException">The configuration describes no model.</exception>
    public abstract ForceField Create(long seed = 0, ScalarType dtype = ScalarType.Float32, Device? device = null);

    /// <param name="atomicNumbers">Of the atoms of a frame or batch; each at least once.</param>
    /// <param name="place">What to name in an error: the frame.</param>
    /// <exception cref="InputException">An element that models of this shape do not know.</exception>
    public virtual void RequireElements(IEnumerable<int> atomicNumbers, string place)
    {
        int heaviest = atomicNumbers.DefaultIfEmpty().Max();
        if (heaviest > MaxAtomicNumber)
            throw new InputException(place, $"atomic number {heaviest}", $"at most {MaxAtomicNumber}", "raise model.maxAtomicNumber");
    }

    /// <exception cref="InputException">A key out of range, or keys that contradict each other.</exception>
    public virtual void Validate(string place = "model")
    {
        if (!(Cutoff > 0) || !double.IsFinite(Cutoff)) throw new InputException($"{place}.cutoff", $"{Cutoff}", "a positive number of angstroms");
        AtLeast(1, MaxAtomicNumber, "maxAtomicNumber", place);
    }

    private protected static void AtLeast(int least, int value, string key, string place)
    {
        if (value < least) throw new InputException($"{place}.{key}", $"{value}", $"{least} or more");
    }
}

/// <summary>What a force field says of a batch. Dispose of it.</summary>
/// <param name="Energies">(frames) eV, float64, reference energies included</param>
/// <param name="Forces">(atoms, 3) eV/A, float64: -dE/dx; null where not asked for</param>
/// <param name="Stress">(frames, 3, 3) eV/A^3, float64: (1 / volume) dE/dstrain, strain symmetric; positive when the frame pulls inwards;
/// zero for a frame without a cell; null where not asked for</param>
public readonly record struct ForceFieldOutput(Tensor Energies, Tensor? Forces, Tensor? Stress) : IDisposable
{
    public void Dispose()
    {
        Energies.Dispose();
        Forces?.Dispose();
        Stress?.Dispose();
    }
}
