using System.Numerics;
using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>
/// Energies of a block of frames and, in reverse, gradients of their sum E by the pairs' vectors. Nothing before the messages of the first module depends
/// on the geometry: there the reverse pass ends.
/// </summary>
internal unsafe class SpookyNetNetwork<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Pairs whose filters are made at once.</summary>
    protected const int Chunk = 48;

    public SpookyNetNetwork(SpookyNetSettings settings, SpookyNetLayout layout)
    {
        (Settings, Layout) = (settings, layout);
        Attention = new AttentionPasses<TLanes, T>(settings, layout);
        Geometry = new SpookyNetGeometry(settings, layout.RadialFunctions);
        Electrons = new ElectronicPasses<TLanes, T>(settings, layout);
    }

    protected SpookyNetSettings Settings { get; }

    protected SpookyNetLayout Layout { get; }

    protected AttentionPasses<TLanes, T> Attention { get; }

    protected SpookyNetGeometry Geometry { get; }

    protected ElectronicPasses<TLanes, T> Electrons { get; }

    protected int F => Layout.Features;

    protected SpookySizes Sizes(in SpookyNetBlock block, SpookyNetGraph graph)
    {
        int[] frames = new int[block.Frames];
        for (int f = 0; f < frames.Length; f++) frames[f] = graph.AtomStarts[block.FirstFrame + f + 1] - graph.AtomStarts[block.FirstFrame + f];
        return new(block.Atoms, block.Pairs, frames, F, Layout.RandomFeatures, Attention.Wide, Layout.RadialFunctions, Layout.Modules.Length);
    }

    /// <summary>Numbers of what is kept of a block.</summary>
    protected static long Kept(SpookySizes sizes, bool keep) => new SpookyNetMemory<T>(sizes, null, keep).Numbers;

    /// <summary>Bytes of room for the forward pass of a block.</summary>
    protected nuint ForwardRoom(SpookySizes sizes) =>
        Workspace.Size<T>((long)Perceptrons<TLanes, T>.Room * F) + Workspace.Size<T>(6L * Chunk * F) + Workspace.Size<T>((long)SpookyPairSizes.Sums * sizes.Pairs)
        + Workspace.Size<T>(10L * sizes.Atoms * F) + Workspace.Size<T>(Attention.Room(sizes.Frames.Max()));

    /// <param name="block">Which frames.</param>
    /// <param name="graph">Of the batch.</param>
    /// <param name="weights">Packed.</param>
    /// <param name="kept">Of the block.</param>
    /// <param name="sizes">Of the block.</param>
    /// <param name="vectors">(pairs, 3) A, of the batch</param>
    /// <param name="energies">(atoms) of the batch, written</param>
    /// <param name="byVectors">(pairs, 3) of the batch, written; null: nobody asked</param>
    /// <param name="workspace">Of <see cref="ForwardRoom"/>.</param>
    protected void Forward(in SpookyNetBlock block, SpookyNetGraph graph, T* weights, SpookyNetMemory<T> kept, SpookySizes sizes, T* vectors, T* energies, T* byVectors,
        Workspace workspace)
    {
        var work = new ForwardWork(workspace.Take<T>((long)Perceptrons<TLanes, T>.Room * F), workspace.Take<T>(6L * Chunk * F),
            workspace.Take<T>((long)SpookyPairSizes.Sums * block.Pairs), workspace.Take<T>(10L * block.Atoms * F),
            workspace.Take<T>(Attention.Room(sizes.Frames.Max())));
        Geometry.Fill(block, graph, vectors, Softplus(weights[Layout.Decay.At]).Value, kept.Pairs);
        Embed(block, graph, weights, kept, sizes, work.Room);
        T* x = kept.X;
        for (int l = 0; l < Layout.Modules.Length; l++)
        {
            Values(l, block.Atoms, weights, kept, sizes, x, work);
            x = kept.Values[l].X3;
        }
        Clear(work.Sums, (long)SpookyPairSizes.Sums * block.Pairs);
        Energies(block, graph, weights, kept, sizes, energies + block.FirstAtom, work.Sums);
        if (byVectors != null)
        {
            Reverse(block.Atoms, weights, kept, sizes, work);
            for (int p = 0; p < block.Pairs; p++)
                SpookyNetGeometry.ByVector(kept.Pairs.Units + 4L * p, work.Sums + (long)SpookyPairSizes.Sums * p, byVectors + 3L * (block.FirstPair + p));
        }
        GC.KeepAlive(this);
        GC.KeepAlive(kept);
    }

    protected static (double Value, double Slope) Softplus(T x) => SpookyNetGeometry.Softplus(double.CreateTruncating(x));

    protected static void Clear(T* values, long count) => NativeMemory.Clear(values, (nuint)(count * sizeof(T)));

    protected static void Copy(T* from, long count, T* to) => Buffer.MemoryCopy(from, to, count * sizeof(T), count * sizeof(T));

    /// <summary>Chunks of near pairs.</summary>
    protected static SpookyPairs<T> Pairs(in PairMemory<T> pairs, int from) => new(Math.Min(Chunk, pairs.Near - from), pairs.NearFirst + from, pairs.NearSecond + from,
        pairs.Harmonics + (long)SpookyPairSizes.Harmonics * from);

    /// <summary>Filters and their derivatives: (pairs, 2, 3 F).</summary>
    protected void Filters(SpookyModule module, T* weights, in PairMemory<T> pairs, int from, int count, T* w)
    {
        int k = Layout.RadialFunctions;
        Products<TLanes, T>.Multiply(2 * count, 3 * F, Settings.RadialFunctions, pairs.Radial + 2L * k * from, k, weights + module.Radial.Forward, 3 * F, w, 3 * F);
    }

    /// <summary>Repulsion with its numbers; null: there is none.</summary>
    protected ZblPasses? Repulsion(T* weights)
    {
        if (Layout.Repulsion.Length == 0) return null;
        Span<double> raw = stackalloc double[10];
        for (int i = 0; i < raw.Length; i++) raw[i] = double.CreateTruncating(weights[Layout.Repulsion[i].At]);
        return new ZblPasses(raw);
    }

    /// <summary>Takes from each atom of a frame what their sum is too much.</summary>
    protected static void Balance(SpookySizes sizes, T* values, ReadOnlySpan<double> totals)
    {
        int start = 0;
        for (int f = 0; f < sizes.Frames.Length; start += sizes.Frames[f++])
        {
            double sum = totals.Length > 0 ? -totals[f] : 0;
            for (int i = start; i < start + sizes.Frames[f]; i++) sum += double.CreateTruncating(values[i]);
            T part = T.CreateTruncating(sum / Math.Max(1, sizes.Frames[f]));
            for (int i = start; i < start + sizes.Frames[f]; i++) values[i] -= part;
        }
    }

    private void Embed(in SpookyNetBlock block, SpookyNetGraph graph, T* weights, SpookyNetMemory<T> kept, SpookySizes sizes, T* room)
    {
        for (int i = 0; i < block.Atoms; i++) Copy(weights + Layout.Table.At + (long)graph.Numbers[block.FirstAtom + i] * F, F, kept.Elements + (long)i * F);
        Copy(kept.Elements, (long)block.Atoms * F, kept.X);
        Electrons.Values(Layout.Charge, weights, sizes, graph.Charges.AsSpan(block.FirstFrame, block.Frames), kept.Elements, kept.Charge, kept.X, room);
        Electrons.Values(Layout.Spin, weights, sizes, graph.Spins.AsSpan(block.FirstFrame, block.Frames), kept.Elements, kept.Spin, kept.X, room);
    }

    private void Values(int l, int n, T* weights, SpookyNetMemory<T> kept, SpookySizes sizes, T* x, in ForwardWork work)
    {
        SpookyModule module = Layout.Modules[l];
        ModuleValues<T> v = kept.Values[l];
        long wide = (long)n * F;
        Perceptrons<TLanes, T>.Values(module.Before, weights, n, x, v.Before, null, work.Room);
        Perceptrons<TLanes, T>.Values(module.Own, weights, n, v.X1, v.Own, v.Gathered.S, work.Room);
        T*[] sent = [v.Sent.S, v.Sent.P, v.Sent.D], asked = [v.Asked.Q, v.Asked.K, v.Asked.V];
        for (int i = 0; i < 3; i++) Perceptrons<TLanes, T>.Values(module.Sources[i], weights, n, v.X1, v.Sources[i], sent[i], work.Room);
        Clear(v.Gathered.P, 3 * wide);
        Clear(v.Gathered.D, 5 * wide);
        int k = Layout.RadialFunctions;
        for (int from = 0; from < kept.Pairs.Near; from += Chunk)
        {
            SpookyPairs<T> pairs = Pairs(kept.Pairs, from);
            Products<TLanes, T>.Multiply(pairs.Count, 3 * F, Settings.RadialFunctions, kept.Pairs.Radial + 2L * k * from, 2 * k, weights + module.Radial.Forward, 3 * F,
                work.Filters, 6 * F);
            SpookyMessageRows<TLanes, T>.Values(pairs, F, work.Filters, v.Sent, v.Gathered);
        }
        Perceptrons<TLanes, T>.Product(module.P, weights, 3 * n, v.Gathered.P, v.P, false);
        Perceptrons<TLanes, T>.Product(module.D, weights, 5 * n, v.Gathered.D, v.D, false);
        SpookyRowsOf<TLanes, T>.Invariants(n, 3, F, v.P, v.Gathered.S);
        SpookyRowsOf<TLanes, T>.Invariants(n, 5, F, v.D, v.Gathered.S);
        Copy(v.X1, wide, v.X2);
        Perceptrons<TLanes, T>.Values(module.Local, weights, n, v.Gathered.S, v.Local, v.X2, work.Room, add: true);
        for (int i = 0; i < 3; i++) Perceptrons<TLanes, T>.Values(module.Attention[i], weights, n, v.X1, v.Attention[i], asked[i], work.Room);
        long at = 0;
        for (int f = 0; f < sizes.Frames.Length; at += (long)sizes.Frames[f++] * F)
        {
            Attention.Values(sizes.Frames[f], weights + module.Directions, v.Asked.From(at), v.Attended[f], work.Attention);
            SpookyRowsOf<TLanes, T>.Add((long)sizes.Frames[f] * F, v.Attended[f].Output, v.X2 + at);
        }
        Perceptrons<TLanes, T>.Values(module.After, weights, n, v.X2, v.After, null, work.Room);
        Perceptrons<TLanes, T>.Values(module.Output, weights, n, v.X3, v.Output, kept.Sum, work.Room, add: l > 0);
    }

    /// <summary>Energies of atoms; of E the gradients by outputs, and by distances as far as energies of pairs go.</summary>
    private void Energies(in SpookyNetBlock block, SpookyNetGraph graph, T* weights, SpookyNetMemory<T> kept, SpookySizes sizes, T* energies, T* sums)
    {
        int n = block.Atoms;
        const int Wide = SpookyPairSizes.Sums;
        T* ofEnergy = weights + Layout.Output.At, ofCharge = ofEnergy + F, q = kept.Charges, byQ = kept.ByCharges;
        double[] all = new double[n];
        for (int i = 0; i < n; i++)
        {
            T* bias = weights + Layout.Bias.At + (long)graph.Numbers[block.FirstAtom + i] * Layout.Bias.Width, x = kept.Sum + (long)i * F;
            all[i] = double.CreateTruncating(SpookyRowsOf<TLanes, T>.Dot(F, x, ofEnergy) + bias[0]);
            q[i] = SpookyRowsOf<TLanes, T>.Dot(F, x, ofCharge) + bias[1];
            byQ[i] = T.Zero;
        }
        Balance(sizes, q, graph.Charges.AsSpan(block.FirstFrame, block.Frames));
        PairMemory<T> pairs = kept.Pairs;
        for (int p = 0; Settings.Electrostatics && p < block.Pairs; p++)
        {
            int i = pairs.First[p], j = pairs.Second[p];
            (double value, double slope) = Geometry.Coulomb(double.CreateTruncating(pairs.Units[4L * p + 3]));
            double qi = double.CreateTruncating(q[i]), qj = double.CreateTruncating(q[j]);
            all[i] += value * qi * qj;
            all[j] += value * qi * qj;
            sums[(long)Wide * p + 8] += T.CreateTruncating(2 * slope * qi * qj);
            byQ[i] += T.CreateTruncating(2 * value * qj);
            byQ[j] += T.CreateTruncating(2 * value * qi);
        }
        ZblPasses? repulsion = Repulsion(weights);
        for (int near = 0; repulsion is not null && near < pairs.Near; near++)
        {
            int p = pairs.Of[near], i = pairs.First[p], j = pairs.Second[p];
            double d = double.CreateTruncating(pairs.Units[4L * p + 3]), f = double.CreateTruncating(pairs.Envelope[2 * near]);
            (double value, double slope) = repulsion.At(
                d, f, double.CreateTruncating(pairs.Envelope[2 * near + 1]), graph.Numbers[block.FirstAtom + i], graph.Numbers[block.FirstAtom + j]);
            all[i] += value;
            all[j] += value;
            sums[(long)Wide * p + 8] += T.CreateTruncating(2 * slope);
        }
        Balance(sizes, byQ, []);
        for (int i = 0; i < n; i++)
        {
            energies[i] = T.CreateTruncating(all[i]);
            Copy(ofEnergy, F, kept.ByOutput + (long)i * F);
            if (Settings.Electrostatics) SpookyRowsOf<TLanes, T>.Scaled(F, byQ[i], ofCharge, kept.ByOutput + (long)i * F, true);
        }
    }

    private void Reverse(int n, T* weights, SpookyNetMemory<T> kept, SpookySizes sizes, in ForwardWork work)
    {
        const int Wide = SpookyPairSizes.Sums;
        long wide = (long)n * F;
        T* chunk = stackalloc T[Wide * Chunk];
        int last = Layout.Modules.Length - 1;
        for (int l = last; l >= 0; l--)
        {
            SpookyModule module = Layout.Modules[l];
            ModuleValues<T> v = kept.Values[l];
            ModuleGradients<T> by = kept.Gradients[l];
            Perceptrons<TLanes, T>.Reverse(module.Output, weights, n, v.X3, v.Output, kept.ByOutput, by.Output, by.X3, work.Room, add: l < last);
            Perceptrons<TLanes, T>.Reverse(module.After, weights, n, v.X2, v.After, by.X3, by.After, by.X2, work.Room, add: false);
            Perceptrons<TLanes, T>.Reverse(module.Local, weights, n, v.Gathered.S, v.Local, by.X2, by.Local, by.Gathered.S, work.Room, add: false);
            SpookyRowsOf<TLanes, T>.ByProjections(n, 3, F, v.P, by.Gathered.S, work.Projections);
            Perceptrons<TLanes, T>.Back(module.P, weights, 3 * n, work.Projections, by.Gathered.P);
            SpookyRowsOf<TLanes, T>.ByProjections(n, 5, F, v.D, by.Gathered.S, work.Projections);
            Perceptrons<TLanes, T>.Back(module.D, weights, 5 * n, work.Projections, by.Gathered.D);
            T*[] sent = [by.Sent.S, by.Sent.P, by.Sent.D], asked = [by.Asked.Q, by.Asked.K, by.Asked.V];
            if (l > 0) for (int i = 0; i < 3; i++) Clear(sent[i], wide);
            for (int from = 0; from < kept.Pairs.Near; from += Chunk)
            {
                SpookyPairs<T> pairs = Pairs(kept.Pairs, from);
                Filters(module, weights, kept.Pairs, from, pairs.Count, work.Filters);
                Clear(chunk, (long)Wide * pairs.Count);
                SpookyMessageRows<TLanes, T>.Reverse(pairs, F, work.Filters, v.Sent, by.Gathered, l > 0 ? by.Sent : default, chunk);
                for (int p = 0; p < pairs.Count; p++)
                {
                    T* sums = work.Sums + (long)Wide * kept.Pairs.Of[from + p];
                    for (int c = 0; c < Wide; c++) sums[c] += chunk[Wide * p + c];
                }
            }
            if (l == 0) break;
            Copy(by.X2, wide, by.X1);
            Perceptrons<TLanes, T>.Reverse(module.Own, weights, n, v.X1, v.Own, by.Gathered.S, by.Own, by.X1, work.Room, add: true);
            for (int i = 0; i < 3; i++) Perceptrons<TLanes, T>.Reverse(module.Sources[i], weights, n, v.X1, v.Sources[i], sent[i], by.Sources[i], by.X1, work.Room, add: true);
            long at = 0;
            for (int f = 0; f < sizes.Frames.Length; at += (long)sizes.Frames[f++] * F)
            {
                Attention.Reverse(sizes.Frames[f], weights + module.Directions, v.Asked.From(at), v.Attended[f], by.X2 + at, by.Attended[f], by.Asked.From(at),
                    work.Attention);
            }
            for (int i = 0; i < 3; i++)
                Perceptrons<TLanes, T>.Reverse(module.Attention[i], weights, n, v.X1, v.Attention[i], asked[i], by.Attention[i], by.X1, work.Room, add: true);
            Perceptrons<TLanes, T>.Reverse(module.Before, weights, n, kept.Values[l - 1].X3, v.Before, by.X1, by.Before, kept.Gradients[l - 1].X3, work.Room, add: false);
        }
    }

    /// <summary>Room of a forward pass.</summary>
    private readonly struct ForwardWork(T* room, T* filters, T* sums, T* projections, T* attention)
    {
        public readonly T* Room = room, Filters = filters, Sums = sums, Projections = projections, Attention = attention;
    }
}
