using System.Numerics;
using System.Runtime.InteropServices;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>
/// Energies of a block of receivers and, in reverse, gradients of their sum E by the edges' vectors. An edge's latent features x, features V and
/// environments are those of the paper; a perceptron's hidden layers are kept before their activation.
/// </summary>
internal unsafe class AllegroNetwork<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public AllegroNetwork(AllegroSettings settings, AllegroLayout layout)
    {
        (Settings, Layout) = (settings, layout);
        Geometry = new AllegroGeometry(settings, layout);
        Terms = [.. settings.Products.Select(AllegroTerms<T>.Of)];
        Share = T.CreateTruncating(1 / Math.Sqrt(settings.AverageNeighbors));
    }

    protected AllegroSettings Settings { get; }

    protected AllegroLayout Layout { get; }

    protected AllegroGeometry Geometry { get; }

    /// <summary>Of each layer, by representation.</summary>
    protected AllegroTerms<T>[][] Terms { get; }

    /// <summary>What of an edge's energy its receiver gets.</summary>
    protected T Share { get; }

    protected int Layers => Layout.Layers.Length;

    protected int Channels => Layout.Channels;

    protected int Latent => Layout.Latent;

    /// <summary>Numbers of what is kept of a block.</summary>
    public long Kept(in ReceiverBlock block) => new AllegroMemory<T>(Settings, Layout, block, null).Numbers;

    public long Room(in ReceiverBlock block) => ForwardRoom<T>.Of(Settings, Layout, block, null).Numbers;

    /// <param name="block">Which receivers.</param>
    /// <param name="graph">Of the batch.</param>
    /// <param name="weights">As laid out.</param>
    /// <param name="memory">Kept.</param>
    /// <param name="room">Of <see cref="Room"/>.</param>
    /// <param name="vectors">(edges, 3) A, of the batch</param>
    /// <param name="energies">(atoms) of the batch, written</param>
    /// <param name="byVectors">(edges, 3) of the batch, written; null: nobody asked</param>
    public void Forward(in ReceiverBlock block, AllegroGraph graph, T* weights, T* memory, T* room, T* vectors, T* energies, T* byVectors)
    {
        int n = block.Edges;
        var kept = new AllegroMemory<T>(Settings, Layout, block, memory);
        var work = ForwardRoom<T>.Of(Settings, Layout, block, room);
        EdgeGeometry<T> geometry = kept.Geometry;
        Geometry.Fill(n, vectors + 3L * block.FirstEdge, geometry);
        Column(n, geometry, 4, T.One, work.Envelope);
        fixed (int* starts = &graph.RowStarts[block.FirstAtom])
        {
            HarmonicRows<T> harmonics = Harmonics(block, starts, geometry.Harmonics, null);
            Values(block, graph, harmonics, weights, kept, work, energies);
            if (byVectors != null) Reverse(block, harmonics, weights, kept, work, byVectors + 3L * block.FirstEdge);
        }
        GC.KeepAlive(kept);
        GC.KeepAlive(work);
    }

    private void Values(in ReceiverBlock block, AllegroGraph graph, HarmonicRows<T> harmonics, T* weights, AllegroMemory<T> kept, ForwardRoom<T> work, T* energies)
    {
        int n = block.Edges, d = Latent, u = Channels;
        Perceptron twoBody = Layout.TwoBody;
        LayerMemory<T>[] layers = kept.Layers;
        T* first = twoBody.Hidden > 0 ? kept.TwoBody.Before[0] : kept.Raw;
        TwoBodyRows(block, graph, weights, first);
        Multiply(n, twoBody.First, weights, kept.Geometry.Radial, Geometry.Radial, first, twoBody.First.Outputs, add: true);
        int stride = layers[0].Stride;
        if (twoBody.Hidden > 0)
        {
            Activate(twoBody, n, weights, kept.TwoBody, work.TwoBody);
            Multiply(n, twoBody.Output, weights, work.TwoBody, twoBody.Output.Inputs, layers[0].X, stride);
            AllegroRows<TLanes, T>.Blend(n, d, work.Envelope, layers[0].X, stride, null, null, 0, layers[0].X, stride);
        }
        else AllegroRows<TLanes, T>.Blend(n, d, work.Envelope, kept.Raw, d, null, null, 0, layers[0].X, stride);
        for (int t = 0; t < Layers; t++)
        {
            LayerMemory<T> layer = layers[t];
            AllegroLayerLayout at = Layout.Layers[t];
            int wide = at.Weights.Outputs;
            Multiply(n, at.Weights, weights, layer.X, layer.Stride, layer.W, wide);
            if (t == 0) AllegroRows<TLanes, T>.Features(harmonics, layer.W, null, wide, work.Features, null);
            AllegroRows<TLanes, T>.Environments(harmonics, layer.W + OfEnvironments(t), null, wide, layer.Environments, null);
            T* features = t == 0 ? work.Features : layer.Features;
            for (int o = 0; o < Terms[t].Length; o++)
            {
                AllegroTerms<T> terms = Terms[t][o];
                ProductRows z = Product(o, terms, n, layer.X, layer.Stride, work.Product);
                TermRows<T> rows = ByOutput(terms.ByOutput, z, n, work.Room);
                for (int a = 0, e = 0; a < block.Atoms; a++)
                    for (; e < harmonics.Starts[a + 1] - harmonics.Starts[0]; e++)
                        AllegroRows<TLanes, T>.Product(rows, u, features + (long)e * u, layer.Environments + (long)a * harmonics.Components * u, z.At + (long)e * z.Stride, false);
                if (t + 1 == Layers) continue;
                PackedMatrix mixing = at.Mixing[o];
                Multiply(n * terms.Output.Components, mixing, weights, z.At, z.Stride, layers[t + 1].Features + FirstComponent(t, o) * n * u, u);
            }
            T* read = layer.X;
            if (at.Latent.Hidden > 0)
            {
                Multiply(n, at.Latent.First, weights, layer.X, layer.Stride, layer.Latent.Before[0], at.Latent.First.Outputs);
                Activate(at.Latent, n, weights, layer.Latent, work.Latents[t]);
                read = work.Latents[t];
            }
            T keep = Kept(t), added = Added(t);
            if (t + 1 < Layers)
            {
                LayerMemory<T> next = layers[t + 1];
                Multiply(n, at.Latent.Output, weights, read, ReadStride(t, layer), next.X, next.Stride);
                for (int e = 0; e < n; e++) work.Scale[e] = added * work.Envelope[e];
                AllegroRows<TLanes, T>.Blend(n, d, work.Scale, next.X, next.Stride, Constant(work.Constant, n, keep), layer.X, layer.Stride, next.X, next.Stride);
                continue;
            }
            T* c = weights + Layout.Energy, q = weights + Layout.Output;
            int width = at.Latent.Output.Inputs;
            for (int a = 0, e = 0; a < block.Atoms; a++)
            {
                T sum = T.Zero;
                for (; e < harmonics.Starts[a + 1] - harmonics.Starts[0]; e++)
                {
                    // Of the gradient by the cutoff function what comes of the energy.
                    T output = AllegroRows<TLanes, T>.Dot(width, read + (long)e * ReadStride(t, layer), q);
                    work.ByEnvelope[e] = Share * added * output;
                    sum += keep * AllegroRows<TLanes, T>.Dot(d, layer.X + (long)e * layer.Stride, c) + added * work.Envelope[e] * output;
                }
                energies[block.FirstAtom + a] = Share * sum;
            }
        }
    }

    private void Reverse(in ReceiverBlock block, HarmonicRows<T> harmonics, T* weights, AllegroMemory<T> kept, ForwardRoom<T> work, T* byVectors)
    {
        int n = block.Edges, d = Latent, u = Channels, components = harmonics.Components;
        LayerMemory<T>[] layers = kept.Layers;
        long of = (long)n * u;
        Clear(work.ByHarmonics, (long)n * components);
        T* above = work.ByFeatures, own = work.ByFeaturesBelow;
        for (int t = Layers - 1; t >= 0; t--)
        {
            LayerMemory<T> layer = layers[t];
            AllegroLayerLayout at = Layout.Layers[t];
            int width = at.Latent.Output.Inputs;
            T keep = Kept(t), added = Added(t);
            for (int e = 0; e < n; e++) work.Scale[e] = added * work.Envelope[e];
            // By what the output matrix reads.
            T* by = at.Latent.Hidden > 0 ? layer.Latent.ByAfter[^1] : layer.ByX;
            if (t + 1 == Layers)
            {
                for (int e = 0; e < n; e++) work.Scale[e] *= Share;
                AllegroRows<TLanes, T>.Spread(n, width, work.Scale, weights + Layout.Output, by, width, false);
            }
            else
            {
                Back(n, at.Latent.Output, weights, layers[t + 1].ByX, layers[t + 1].Stride, by, width);
                T* read = at.Latent.Hidden > 0 ? work.Latents[t] : layer.X;
                AllegroRows<TLanes, T>.Weigh(n, width, by, width, read, ReadStride(t, layer), added, work.ByEnvelope, work.Scale);
            }
            if (at.Latent.Hidden > 0)
            {
                Deactivate(at.Latent, n, weights, layer.Latent, work.Hidden);
                Back(n, at.Latent.First, weights, work.Hidden, at.Latent.First.Outputs, layer.ByX, layer.Stride);
            }
            if (t + 1 == Layers) AllegroRows<TLanes, T>.Spread(n, d, Constant(work.Constant, n, keep * Share), weights + Layout.Energy, layer.ByX, layer.Stride, true);
            else AllegroRows<TLanes, T>.Update(n, d, Constant(work.Constant, n, keep), layer.ByX, layer.Stride, T.One, layers[t + 1].ByX, layers[t + 1].Stride);

            Clear(own, of * Settings.Products[t].Left);
            Clear(work.ByEnvironments, (long)block.Atoms * components * u);
            T* features = t == 0 ? work.Features : layer.Features;
            for (int o = 0; o < Terms[t].Length; o++)
            {
                AllegroTerms<T> terms = Terms[t][o];
                ProductRows z = Product(o, terms, n, layer.ByX, layer.Stride, work.Product);
                if (t + 1 < Layers) Back(n * terms.Output.Components, at.Mixing[o], weights, above + FirstComponent(t, o) * of, u, z.At, z.Stride, add: o == 0);
                TermRows<T> rows = ByLeft(terms.ByLeft, z, n, work.Room);
                for (int a = 0, e = 0; a < block.Atoms; a++)
                    for (; e < harmonics.Starts[a + 1] - harmonics.Starts[0]; e++)
                        AllegroRows<TLanes, T>.Product(rows, u, z.At + (long)e * z.Stride, layer.Environments + (long)a * components * u, own + (long)e * u, true);
                rows = ByRight(terms.ByRight, z, n, work.Room);
                for (int a = 0, e = 0; a < block.Atoms; a++)
                    for (; e < harmonics.Starts[a + 1] - harmonics.Starts[0]; e++)
                        AllegroRows<TLanes, T>.Product(rows, u, z.At + (long)e * z.Stride, features + (long)e * u, work.ByEnvironments + (long)a * components * u, true);
            }
            int wide = at.Weights.Outputs, environments = OfEnvironments(t);
            if (t == 0)
            {
                AllegroRows<TLanes, T>.ByWeights(harmonics, own, null, of, false, wide, work.ByWeights, null);
                AllegroRows<TLanes, T>.ByHarmonics(harmonics, own, of, false, layer.W, wide, work.ByHarmonics);
            }
            AllegroRows<TLanes, T>.ByWeights(harmonics, work.ByEnvironments, null, u, true, wide, work.ByWeights + environments, null);
            AllegroRows<TLanes, T>.ByHarmonics(harmonics, work.ByEnvironments, u, true, layer.W + environments, wide, work.ByHarmonics);
            Back(n, at.Weights, weights, work.ByWeights, wide, layer.ByX, layer.Stride, add: true);
            Swap(ref above, ref own);
        }
        TwoBodyReverse(n, weights, kept, work);
        for (int e = 0; e < n; e++)
        {
            T* s = kept.Geometry.Scalars + (long)AllegroGeometry.Scalars * e, y = kept.Geometry.HarmonicSlopes + 3L * components * e, g = work.ByHarmonics + (long)components * e;
            long row = (long)e * Geometry.Radial;
            T slope = work.ByEnvelope[e] * s[5] + AllegroRows<TLanes, T>.Dot(Geometry.Radial, work.ByRadial + row, kept.Geometry.RadialSlopes + row);
            for (int i = 0; i < 3; i++)
            {
                T by = slope * s[i];
                for (int j = 1; j < components; j++) by += g[j] * y[3 * j + i];
                byVectors[3L * e + i] = by;
            }
        }
    }

    private void TwoBodyReverse(int n, T* weights, AllegroMemory<T> kept, ForwardRoom<T> work)
    {
        LayerMemory<T> layer = kept.Layers[0];
        Perceptron twoBody = Layout.TwoBody;
        T* hidden = work.Hidden;
        if (twoBody.Hidden > 0)
        {
            int width = twoBody.Output.Inputs;
            Back(n, twoBody.Output, weights, layer.ByX, layer.Stride, kept.TwoBody.ByAfter[^1], width);
            AllegroRows<TLanes, T>.Weigh(n, width, kept.TwoBody.ByAfter[^1], width, work.TwoBody, width, T.One, work.ByEnvelope, work.Envelope);
            Deactivate(twoBody, n, weights, kept.TwoBody, hidden);
        }
        else
        {
            AllegroRows<TLanes, T>.Blend(n, Latent, Constant(work.Constant, n, T.One), layer.ByX, layer.Stride, null, null, 0, hidden, Latent);
            AllegroRows<TLanes, T>.Weigh(n, Latent, hidden, Latent, kept.Raw, Latent, T.One, work.ByEnvelope, work.Envelope);
        }
        Back(n, twoBody.First, weights, hidden, twoBody.First.Outputs, work.ByRadial, Geometry.Radial);
    }

    /// <summary>The rows of the elements of both atoms.</summary>
    private void TwoBodyRows(in ReceiverBlock block, AllegroGraph graph, T* weights, T* to)
    {
        int width = Layout.Tables.Outputs;
        T* tables = weights + Layout.Tables.Forward;
        for (int a = 0; a < block.Atoms; a++)
        {
            int atom = block.FirstAtom + a;
            T* receiver = tables + (long)graph.Elements[atom] * width;
            for (int e = graph.RowStarts[atom]; e < graph.RowStarts[atom + 1]; e++, to += width)
            {
                T* sender = tables + (long)(Settings.Elements + graph.Elements[graph.Senders[e]]) * width;
                for (int c = 0; c < width; c += TLanes.Count) TLanes.Store(to + c, TLanes.Load(receiver + c) + TLanes.Load(sender + c));
            }
        }
    }

    /// <summary>Hidden layers from the first one, before activation, to what the output matrix reads.</summary>
    protected static void Activate(Perceptron of, int n, T* weights, HiddenMemory<T> memory, T* after)
    {
        for (int i = 0; i < of.Hidden; i++)
        {
            ActivationRows<Silu<TLanes, T>, TLanes, T>.Values((long)n * of.Width(i), memory.Before[i], after);
            if (i + 1 < of.Hidden) Multiply(n, of.Rest[i], weights, after, of.Width(i), memory.Before[i + 1], of.Width(i + 1));
        }
    }

    /// <summary>In reverse, from the gradient by what the output matrix reads to that by the first hidden layer before activation.</summary>
    private static void Deactivate(Perceptron of, int n, T* weights, HiddenMemory<T> memory, T* byBefore)
    {
        for (int i = of.Hidden - 1; i >= 0; i--)
        {
            ActivationRows<Silu<TLanes, T>, TLanes, T>.Slopes((long)n * of.Width(i), memory.Before[i], memory.ByAfter[i], byBefore);
            if (i > 0) Back(n, of.Rest[i - 1], weights, byBefore, of.Width(i), memory.ByAfter[i - 1], of.Width(i - 1));
        }
    }

    protected static void Multiply(int rows, PackedMatrix m, T* weights, T* x, int xStride, T* y, int yStride, bool add = false) =>
        Products<TLanes, T>.Multiply(rows, m.Outputs, m.Inputs, x, xStride, weights + m.Forward, m.Outputs, y, yStride, add);

    protected static void Back(int rows, PackedMatrix m, T* weights, T* g, int gStride, T* byX, int xStride, bool add = false) =>
        Products<TLanes, T>.Multiply(rows, m.Inputs, m.Outputs, g, gStride, weights + m.Backward, m.Inputs, byX, xStride, add);

    protected static void Swap(ref T* a, ref T* b)
    {
        T* first = a;
        a = b;
        b = first;
    }

    protected static void Clear(T* at, long count) => NativeMemory.Clear(at, (nuint)count * (nuint)sizeof(T));

    protected static T* Constant(T* room, int n, T value)
    {
        new Span<T>(room, n).Fill(value);
        return room;
    }

    /// <summary>A column of the edges' scalars, times a factor.</summary>
    protected static void Column(int n, in EdgeGeometry<T> geometry, int which, T factor, T* to)
    {
        for (int e = 0; e < n; e++) to[e] = factor * geometry.Scalars[(long)AllegroGeometry.Scalars * e + which];
    }

    protected HarmonicRows<T> Harmonics(in ReceiverBlock block, int* starts, T* values, T* tangents) => new()
    {
        Atoms = block.Atoms,
        Edges = block.Edges,
        Components = Settings.Components,
        Channels = Channels,
        Starts = starts,
        Values = values,
        Tangents = tangents,
    };

    /// <summary>Where the weights of environments begin in a row of weights.</summary>
    protected int OfEnvironments(int layer) => layer == 0 ? Settings.Orders * Channels : 0;

    /// <summary>Of a representation among the features that a layer makes.</summary>
    protected long FirstComponent(int layer, int output)
    {
        int first = 0;
        for (int o = 0; o < output; o++) first += Terms[layer][o].Output.Components;
        return first;
    }

    protected T Kept(int layer) => T.CreateTruncating(Layout.Kept[layer]);

    protected T Added(int layer) => T.CreateTruncating(Layout.Added[layer]);

    /// <summary>Between rows of what a layer's output matrix reads.</summary>
    protected int ReadStride(int t, LayerMemory<T> layer) => Layout.Layers[t].Latent.Hidden > 0 ? Layout.Layers[t].Latent.Output.Inputs : layer.Stride;

    /// <summary>Rows of one representation of a product: scalars stand behind the latent features.</summary>
    protected ProductRows Product(int output, AllegroTerms<T> terms, int n, T* x, int xStride, T* others) => output == 0
        ? new ProductRows(x + Latent, xStride, 0, terms.Output.Paths)
        : new ProductRows(others, terms.Output.Paths * Channels, n * terms.Output.Paths * Channels, terms.Output.Paths);

    protected TermRows<T> ByOutput(TermList<T> list, ProductRows z, int n, TermRows<T> room) =>
        Lay(list, room, k => z.Of(k, Channels), i => i * n * Channels, j => j * Channels);

    protected TermRows<T> ByLeft(TermList<T> list, ProductRows z, int n, TermRows<T> room) =>
        Lay(list, room, i => i * n * Channels, k => z.Of(k, Channels), j => j * Channels);

    protected TermRows<T> ByRight(TermList<T> list, ProductRows z, int n, TermRows<T> room) =>
        Lay(list, room, j => j * Channels, k => z.Of(k, Channels), i => i * n * Channels);

    private static TermRows<T> Lay(TermList<T> list, TermRows<T> room, Func<int, int> result, Func<int, int> first, Func<int, int> second)
    {
        room.Results = list.Results.Length;
        list.Starts.CopyTo(new Span<int>(room.Starts, list.Starts.Length));
        for (int s = 0; s < room.Results; s++) room.ResultPlaces[s] = result(list.Results[s]);
        for (int q = 0; q < list.Values.Length; q++) room.Places[q] = new TermPlace(first(list.First[q]), second(list.Second[q]));
        list.Values.CopyTo(new Span<T>(room.Values, list.Values.Length));
        return room;
    }

    /// <summary>Rows of a representation of a product, or of gradients by it.</summary>
    /// <param name="at">The first edge's.</param>
    /// <param name="stride">From edge to edge.</param>
    /// <param name="component">From component to component.</param>
    /// <param name="paths">To it.</param>
    protected readonly struct ProductRows(T* at, int stride, int component, int paths)
    {
        public T* At { get; } = at;

        public int Stride { get; } = stride;

        /// <summary>Where a component of a path lies, from an edge's first.</summary>
        public int Of(int k, int channels) => k / paths * component + k % paths * channels;
    }
}
