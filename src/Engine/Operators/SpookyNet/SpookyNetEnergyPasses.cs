using System.Numerics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>
/// SpookyNet's passes. For a scalar S of the atoms' energies and of G = dE/dr the backward pass runs tangents along dS/dG through a block and goes back
/// once more: a gradient by a tangent is what the forward pass found in reverse.
/// </summary>
internal sealed unsafe class SpookyNetEnergyPasses<TLanes, T> : SpookyNetNetwork<TLanes, T>, IEnergyPasses
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Sums = SpookyPairSizes.Sums;

    private readonly SpookyNetGraph graph;
    private readonly SpookyNetBlock[] blocks;

    public SpookyNetEnergyPasses(SpookyNetSettings settings, SpookyNetGraph graph, Tensor?[] inputs)
        : base(settings, new SpookyNetLayout(settings, inputs, TLanes.Count))
    {
        this.graph = graph;
        blocks = graph.Blocks(alone: false);
    }

    public (Tensor Energies, Tensor ByVectors, Tensor[] Kept) Forward(Tensor?[] inputs, bool keep)
    {
        foreach (int number in graph.Numbers)
            if ((uint)number >= (uint)Layout.Elements) throw new ArgumentOutOfRangeException(nameof(inputs), number, $"outside a table of {Layout.Elements} elements");
        Tensor vectors = inputs[0]!;
        Tensor energies = zeros(graph.Atoms, dtype: vectors.dtype), byVectors = empty(graph.Pairs, 3, dtype: vectors.dtype);
        // A tensor a block: the C library returns larger pieces of memory to the system, which clears them each time.
        Tensor[] kept = [empty(Layout.Packed, dtype: vectors.dtype), .. keep ? blocks.Select(b => empty(Kept(Sizes(b, graph), true), dtype: vectors.dtype)) : []];
        using TensorMemory ofVectors = new(vectors), ofEnergies = new(energies), ofBy = new(byVectors);
        T* r = (T*)ofVectors.Address, e = (T*)ofEnergies.Address, by = (T*)ofBy.Address;
        nint[] places = Addresses(kept);
        T* weights = (T*)places[0];
        Layout.Pack<TLanes, T>(inputs, weights);
        TorchThreads.For(blocks.Length, b =>
        {
            SpookySizes sizes = Sizes(blocks[b], graph);
            long numbers = keep ? 0 : Kept(sizes, false);
            using Workspace workspace = Workspace.Rent(ForwardRoom(sizes) + Workspace.Size<T>(numbers));
            var memory = new SpookyNetMemory<T>(sizes, keep ? (T*)places[b + 1] : workspace.Take<T>(numbers), keep);
            Forward(blocks[b], graph, weights, memory, sizes, r, e, by, workspace);
        });
        GC.KeepAlive(inputs);
        GC.KeepAlive(kept);
        if (keep) return (energies, byVectors, kept);
        kept[0].Dispose();
        return (energies, byVectors, []);
    }

    public Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor? byEnergies, Tensor? along)
    {
        using TensorMemory ofEnergies = new(byEnergies), ofAlong = new(along);
        T* g = (T*)ofEnergies.Address, v = (T*)ofAlong.Address;
        nint[] places = Addresses(kept);
        T* weights = (T*)places[0];
        long size = Layout.Share;
        int shares = SpookyNetGraph.Shares(blocks.Length, size * sizeof(T));
        using Workspace sums = Workspace.Rent(Workspace.Size<T>(shares * size));
        T* first = sums.Take<T>(shares * size);
        TorchThreads.For(shares, share =>
        {
            T* own = first + share * size;
            Clear(own, size);
            int from = (int)((long)blocks.Length * share / shares), to = (int)((long)blocks.Length * (share + 1) / shares);
            for (int b = from; b < to; b++)
            {
                SpookySizes sizes = Sizes(blocks[b], graph);
                var memory = new SpookyNetMemory<T>(sizes, (T*)places[b + 1], true);
                long room = Room(sizes, null).Numbers;
                using Workspace workspace = Workspace.Rent(Workspace.Size<T>(room));
                Backward(blocks[b], weights, memory, sizes, Room(sizes, workspace.Take<T>(room)), g, v, own);
            }
        });
        var results = new Tensor?[inputs.Length];
        Layout.Gather<TLanes, T>(first, shares, inputs, results);
        GC.KeepAlive(inputs);
        GC.KeepAlive(kept);
        return results;
    }

    private static nint[] Addresses(Tensor?[] tensors)
    {
        var addresses = new nint[tensors.Length];
        for (int i = 0; i < addresses.Length; i++)
        {
            using var memory = new TensorMemory(tensors[i]);
            addresses[i] = memory.Address;
        }
        return addresses;
    }

    private SpookyBackwardRoom<T> Room(SpookySizes sizes, T* memory) =>
        new(sizes, Attention.Room(sizes.Frames.Max()), (long)Perceptrons<TLanes, T>.Room * F, Chunk, memory);

    private void Backward(in SpookyNetBlock block, T* weights, SpookyNetMemory<T> kept, SpookySizes sizes, SpookyBackwardRoom<T> work, T* byEnergies, T* along, T* share)
    {
        for (int near = 0; near < kept.Pairs.Near; near++)
        {
            int p = kept.Pairs.Of[near];
            if (along == null) Clear(work.Motion + (long)Sums * near, Sums);
            else SpookyNetGeometry.Motion(kept.Pairs.Units + 4L * p, along + 3L * (block.FirstPair + p), work.Motion + (long)Sums * near);
        }
        T* before = null;
        for (int l = 0; l < Layout.Modules.Length; l++)
        {
            Tangents(l, block.Atoms, weights, kept, sizes, before, work);
            before = work.Modules[l].X3;
        }
        T* g = byEnergies == null ? null : byEnergies + block.FirstAtom, v = along == null ? null : along + 3L * block.FirstPair;
        Head(block, weights, kept, sizes, g, v, work, share);
        for (int l = Layout.Modules.Length - 1; l >= 0; l--) Adjoints(l, block.Atoms, weights, kept, sizes, work, share);
        Embedding(block, weights, kept, sizes, work, share);
        GC.KeepAlive(this);
        GC.KeepAlive(kept);
        GC.KeepAlive(work);
    }

    /// <param name="l">Which module; before the messages of the first nothing moves.</param>
    /// <param name="n">Atoms.</param>
    /// <param name="weights">Packed.</param>
    /// <param name="kept">By the forward pass.</param>
    /// <param name="sizes">Of the block.</param>
    /// <param name="xDot">(atoms, F) of what comes in</param>
    /// <param name="work">Room.</param>
    private void Tangents(int l, int n, T* weights, SpookyNetMemory<T> kept, SpookySizes sizes, T* xDot, SpookyBackwardRoom<T> work)
    {
        SpookyModule module = Layout.Modules[l];
        ModuleValues<T> v = kept.Values[l];
        ModuleTangents<T> t = work.Modules[l];
        long wide = (long)n * F;
        T*[] sent = [t.Sent.S, t.Sent.P, t.Sent.D], asked = [t.Asked.Q, t.Asked.K, t.Asked.V];
        if (l == 0) Clear(t.Gathered.S, wide);
        else
        {
            Perceptrons<TLanes, T>.Tangents(module.Before, weights, n, kept.Values[l - 1].X3, v.Before, xDot, t.Before, null, work.Room);
            Perceptrons<TLanes, T>.Tangents(module.Own, weights, n, v.X1, v.Own, t.X1, t.Own, t.Gathered.S, work.Room);
            for (int i = 0; i < 3; i++) Perceptrons<TLanes, T>.Tangents(module.Sources[i], weights, n, v.X1, v.Sources[i], t.X1, t.Sources[i], sent[i], work.Room);
        }
        Clear(t.Gathered.P, 3 * wide);
        Clear(t.Gathered.D, 5 * wide);
        for (int from = 0; from < kept.Pairs.Near; from += Chunk)
        {
            SpookyPairs<T> pairs = Pairs(kept.Pairs, from);
            Filters(module, weights, kept.Pairs, from, pairs.Count, work.Filters);
            SpookyMessageRows<TLanes, T>.Tangents(pairs, F, work.Filters, work.Motion + (long)Sums * from, v.Sent, t.Sent, t.Gathered);
        }
        Perceptrons<TLanes, T>.Product(module.P, weights, 3 * n, t.Gathered.P, t.P, false);
        Perceptrons<TLanes, T>.Product(module.D, weights, 5 * n, t.Gathered.D, t.D, false);
        SpookyRowsOf<TLanes, T>.InvariantTangents(n, 3, F, v.P, t.P, t.Gathered.S);
        SpookyRowsOf<TLanes, T>.InvariantTangents(n, 5, F, v.D, t.D, t.Gathered.S);
        if (l > 0) Copy(t.X1, wide, t.X2);
        Perceptrons<TLanes, T>.Tangents(module.Local, weights, n, v.Gathered.S, v.Local, t.Gathered.S, t.Local, t.X2, work.Room, add: l > 0);
        if (l > 0)
        {
            for (int i = 0; i < 3; i++) Perceptrons<TLanes, T>.Tangents(module.Attention[i], weights, n, v.X1, v.Attention[i], t.X1, t.Attention[i], asked[i], work.Room);
            long at = 0;
            for (int f = 0; f < sizes.Frames.Length; at += (long)sizes.Frames[f++] * F)
            {
                Attention.Tangents(sizes.Frames[f], weights + module.Directions, v.Asked.From(at), v.Attended[f], t.Asked.From(at), t.Attended[f], work.Attention);
                SpookyRowsOf<TLanes, T>.Add((long)sizes.Frames[f] * F, t.Attended[f].Output, t.X2 + at);
            }
        }
        Perceptrons<TLanes, T>.Tangents(module.After, weights, n, v.X2, v.After, t.X2, t.After, null, work.Room);
        Perceptrons<TLanes, T>.Tangents(module.Output, weights, n, v.X3, v.Output, t.X3, t.Output, work.Sum, work.Room, add: l > 0);
    }

    /// <summary>From modules' outputs to energies, and back: gradients of S by outputs, and by weights of energies.</summary>
    private void Head(in SpookyNetBlock block, T* weights, SpookyNetMemory<T> kept, SpookySizes sizes, T* g, T* along, SpookyBackwardRoom<T> work, T* share)
    {
        int n = block.Atoms;
        T* ofEnergy = weights + Layout.Output.At, ofCharge = ofEnergy + F, by = share + Layout.Output.By, qDot = work.Charges, hat = work.ByCharges;
        PairMemory<T> pairs = kept.Pairs;
        for (int i = 0; i < n; i++)
        {
            qDot[i] = SpookyRowsOf<TLanes, T>.Dot(F, work.Sum + (long)i * F, ofCharge);
            hat[i] = T.Zero;
        }
        Balance(sizes, qDot, []);
        for (int p = 0; Settings.Electrostatics && p < block.Pairs; p++)
        {
            int i = pairs.First[p], j = pairs.Second[p];
            (double value, double slope) = Geometry.Coulomb(double.CreateTruncating(pairs.Units[4L * p + 3]));
            double plain = value * Sum(g, i, j) + 2 * slope * Far(pairs.Units + 4L * p, along, p);
            hat[i] += T.CreateTruncating(plain * double.CreateTruncating(kept.Charges[j]) + 2 * value * double.CreateTruncating(qDot[j]));
            hat[j] += T.CreateTruncating(plain * double.CreateTruncating(kept.Charges[i]) + 2 * value * double.CreateTruncating(qDot[i]));
        }
        Balance(sizes, hat, []);
        if (Repulsion(weights) is { } repulsion)
        {
            Span<double> raw = stackalloc double[10];
            raw.Clear();
            for (int near = 0; near < pairs.Near; near++)
            {
                int p = pairs.Of[near], i = pairs.First[p], j = pairs.Second[p];
                double d = double.CreateTruncating(pairs.Units[4L * p + 3]), f = double.CreateTruncating(pairs.Envelope[2 * near]);
                repulsion.Add(d, f, double.CreateTruncating(pairs.Envelope[2 * near + 1]), graph.Numbers[block.FirstAtom + i], graph.Numbers[block.FirstAtom + j],
                    Sum(g, i, j), 2 * Far(pairs.Units + 4L * p, along, p), raw);
            }
            for (int c = 0; c < raw.Length; c++) share[Layout.Repulsion[c].By] += T.CreateTruncating(raw[c]);
        }
        for (int i = 0; i < n; i++)
        {
            T up = g == null ? T.Zero : g[i];
            T* x = kept.Sum + (long)i * F, xDot = work.Sum + (long)i * F, bias = share + Layout.Bias.By + (long)graph.Numbers[block.FirstAtom + i] * Layout.Bias.Width;
            SpookyRowsOf<TLanes, T>.Scaled(F, up, x, by, true);
            SpookyRowsOf<TLanes, T>.Add(F, xDot, by);
            SpookyRowsOf<TLanes, T>.Scaled(F, up, ofEnergy, work.ByOutput + (long)i * F, false);
            bias[0] += up;
            if (!Settings.Electrostatics) continue;
            SpookyRowsOf<TLanes, T>.Scaled(F, hat[i], x, by + F, true);
            SpookyRowsOf<TLanes, T>.Scaled(F, kept.ByCharges[i], xDot, by + F, true);
            SpookyRowsOf<TLanes, T>.Scaled(F, hat[i], ofCharge, work.ByOutput + (long)i * F, true);
            bias[1] += hat[i];
        }

        static double Sum(T* g, int i, int j) => g == null ? 0 : double.CreateTruncating(g[i]) + double.CreateTruncating(g[j]);

        static double Far(T* unit, T* along, int p) =>
            along == null ? 0 : double.CreateTruncating(unit[0] * along[3L * p] + unit[1] * along[3L * p + 1] + unit[2] * along[3L * p + 2]);
    }

    private void Adjoints(int l, int n, T* weights, SpookyNetMemory<T> kept, SpookySizes sizes, SpookyBackwardRoom<T> work, T* share)
    {
        SpookyModule module = Layout.Modules[l];
        ModuleValues<T> v = kept.Values[l];
        ModuleGradients<T> by = kept.Gradients[l];
        ModuleTangents<T> t = work.Modules[l];
        long wide = (long)n * F;
        bool last = l == Layout.Modules.Length - 1, moves = l > 0;
        Perceptrons<TLanes, T>.Adjoints(
            module.Output, weights, n, v.X3, v.Output, t.X3, t.Output, kept.ByOutput, by.Output, work.ByOutput, work.X3, share, work.Room, add: !last);
        Perceptrons<TLanes, T>.Adjoints(module.After, weights, n, v.X2, v.After, t.X2, t.After, by.X3, by.After, work.X3, work.X2, share, work.Room, add: false);
        Perceptrons<TLanes, T>.Adjoints(
            module.Local, weights, n, v.Gathered.S, v.Local, t.Gathered.S, t.Local, by.X2, by.Local, work.X2, work.Gathered.S, share, work.Room, add: false);
        Projections(module.P, 3, n, weights, v.P, t.P, by.Gathered.S, v.Gathered.P, t.Gathered.P, work.Gathered.P, work, share);
        Projections(module.D, 5, n, weights, v.D, t.D, by.Gathered.S, v.Gathered.D, t.Gathered.D, work.Gathered.D, work, share);
        T*[] sent = [work.Sent.S, work.Sent.P, work.Sent.D], bySent = [by.Sent.S, by.Sent.P, by.Sent.D];
        T*[] asked = [work.Asked.Q, work.Asked.K, work.Asked.V], byAsked = [by.Asked.Q, by.Asked.K, by.Asked.V];
        for (int i = 0; i < 3; i++) Clear(sent[i], wide);
        Messages(l, weights, kept, work, share);
        Copy(work.X2, wide, work.X1);
        Perceptrons<TLanes, T>.Adjoints(
            module.Own, weights, n, v.X1, v.Own, t.X1, t.Own, by.Gathered.S, by.Own, work.Gathered.S, work.X1, share, work.Room, add: true);
        for (int i = 0; i < 3; i++)
        {
            Perceptrons<TLanes, T>.Adjoints(
                module.Sources[i], weights, n, v.X1, v.Sources[i], t.X1, t.Sources[i], bySent[i], by.Sources[i], sent[i], work.X1, share, work.Room, add: true);
        }
        long at = 0;
        for (int f = 0; f < sizes.Frames.Length; at += (long)sizes.Frames[f++] * F)
        {
            Attention.Adjoints(sizes.Frames[f], weights + module.Directions, v.Asked.From(at), v.Attended[f], t.Asked.From(at), t.Attended[f], by.X2 + at, by.Attended[f],
                work.X2 + at, work.Asked.From(at), work.Attention);
        }
        for (int i = 0; i < 3; i++)
        {
            Perceptrons<TLanes, T>.Adjoints(
                module.Attention[i], weights, n, v.X1, v.Attention[i], t.X1, t.Attention[i], byAsked[i], by.Attention[i], asked[i], work.X1, share, work.Room, add: true);
        }
        T* x = moves ? kept.Values[l - 1].X3 : kept.X, xDot = moves ? work.Modules[l - 1].X3 : null;
        Perceptrons<TLanes, T>.Adjoints(module.Before, weights, n, x, v.Before, xDot, t.Before, by.X1, by.Before, work.X1, work.X3, share, work.Room, add: false);
    }

    /// <summary>Of invariants of one order.</summary>
    private void Projections(SpookyDense d, int components, int n, T* weights, T* p, T* pDot, T* byS, T* x, T* xDot, T* byX, SpookyBackwardRoom<T> work, T* share)
    {
        int rows = components * n;
        T* hat = work.Projections;
        SpookyRowsOf<TLanes, T>.ProjectionAdjoints(n, components, F, p, pDot, work.Gathered.S, byS, hat);
        Perceptrons<TLanes, T>.Back(d, weights, rows, hat, byX);
        Perceptrons<TLanes, T>.Outer(d, rows, 0, hat, x, share);
        SpookyRowsOf<TLanes, T>.ByProjections(n, components, F, p, byS, hat);
        Perceptrons<TLanes, T>.Outer(d, rows, 0, hat, xDot, share);
    }

    private void Messages(int l, T* weights, SpookyNetMemory<T> kept, SpookyBackwardRoom<T> work, T* share)
    {
        SpookyModule module = Layout.Modules[l];
        int k = Layout.RadialFunctions;
        T byDecay = T.Zero;
        for (int from = 0; from < kept.Pairs.Near; from += Chunk)
        {
            SpookyPairs<T> pairs = Pairs(kept.Pairs, from);
            int rows = 2 * pairs.Count;
            Filters(module, weights, kept.Pairs, from, pairs.Count, work.Filters);
            SpookyMessageRows<TLanes, T>.Adjoints(pairs, F, work.Filters, work.Motion + (long)Sums * from, kept.Values[l].Sent, work.Modules[l].Sent, work.Gathered,
                kept.Gradients[l].Gathered, work.Sent, work.ByFilters);
            T* radial = kept.Pairs.Radial + 2L * k * from;
            Products<TLanes, T>.MultiplyTransposed(3 * F, k, rows, work.ByFilters, 3 * F, radial, k, share + module.Radial.ByWeight, k, add: true);
            Products<TLanes, T>.Multiply(rows, k, 3 * F, work.ByFilters, 3 * F, weights + module.Radial.Backward, k, work.ByRadial, k);
            byDecay += SpookyRowsOf<TLanes, T>.Dot((long)rows * k, work.ByRadial, kept.Pairs.ByDecay + 2L * k * from);
        }
        share[Layout.Decay.By] += byDecay * T.CreateTruncating(Softplus(weights[Layout.Decay.At]).Slope);
    }

    /// <summary>From the features of atoms to those of elements, with charge and spin.</summary>
    private void Embedding(in SpookyNetBlock block, T* weights, SpookyNetMemory<T> kept, SpookySizes sizes, SpookyBackwardRoom<T> work, T* share)
    {
        int n = block.Atoms, columns = Layout.ElectronColumns;
        T* by = work.X1;
        Copy(work.X3, (long)n * F, by);
        Electrons.Adjoints(
            Layout.Charge, weights, sizes, graph.Charges.AsSpan(block.FirstFrame, block.Frames), kept.Elements, kept.Charge, work.X3, by, share, work.Projections, work.Room);
        Electrons.Adjoints(
            Layout.Spin, weights, sizes, graph.Spins.AsSpan(block.FirstFrame, block.Frames), kept.Elements, kept.Spin, work.X3, by, share, work.Projections, work.Room);
        for (int i = 0; i < n; i++)
        {
            int number = graph.Numbers[block.FirstAtom + i];
            SpookyRowsOf<TLanes, T>.Add(F, by + (long)i * F, share + Layout.Table.By + (long)number * F);
            Copy(weights + Layout.Electrons + (long)number * columns, columns, work.Electrons + (long)i * columns);
        }
        Perceptrons<TLanes, T>.Outer(Layout.ElectronWeight, n, 0, by, work.Electrons, share);
    }
}
