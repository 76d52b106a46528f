using System.Numerics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>
/// Allegro's passes. For a scalar S of the atoms' energies and of G = dE/dr the backward pass runs tangents along dS/dG through a block and goes back
/// once more: a gradient by a tangent is what the forward pass found in reverse, or what is found again where that takes less than reading it.
/// </summary>
internal sealed unsafe class AllegroEnergyPasses<TLanes, T> : AllegroNetwork<TLanes, T>, IEnergyPasses
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AllegroGraph graph;

    public AllegroEnergyPasses(AllegroSettings settings, AllegroGraph graph, Tensor?[] inputs)
        : base(settings, new AllegroLayout(settings, inputs, TLanes.Count))
    {
        this.graph = graph;
    }

    public (Tensor Energies, Tensor ByVectors, Tensor[] Kept) Forward(Tensor?[] inputs, bool keep)
    {
        foreach (int element in graph.Elements)
            if ((uint)element >= (uint)Settings.Elements) throw new ArgumentOutOfRangeException(nameof(inputs), element, $"outside {Settings.Elements} elements");
        Tensor vectors = inputs[0]!;
        Tensor energies = zeros(graph.Atoms, dtype: vectors.dtype), byVectors = empty(graph.Edges, 3, dtype: vectors.dtype);
        // A tensor a block: the C library returns larger pieces of memory to the system, which clears them each time.
        Tensor[] kept = [empty(Layout.Packed, dtype: vectors.dtype), .. keep ? graph.Blocks.Select(b => empty(Kept(b), dtype: vectors.dtype)) : []];
        using TensorMemory ofVectors = new(vectors), ofEnergies = new(energies), ofBy = new(byVectors);
        T* r = (T*)ofVectors.Address, e = (T*)ofEnergies.Address, by = (T*)ofBy.Address;
        nint[] places = Addresses(kept);
        T* weights = (T*)places[0];
        Layout.Pack<TLanes, T>(inputs, weights);
        TorchThreads.For(graph.Blocks.Length, b =>
        {
            ReceiverBlock block = graph.Blocks[b];
            long room = Room(block), numbers = keep ? 0 : Kept(block);
            using Workspace workspace = Workspace.Rent(Workspace.Size<T>(room) + Workspace.Size<T>(numbers));
            T* work = workspace.Take<T>(room), memory = keep ? (T*)places[b + 1] : workspace.Take<T>(numbers);
            Forward(block, graph, weights, memory, work, r, e, by);
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
        int blocks = graph.Blocks.Length, shares = graph.Shares(size * sizeof(T));
        using Workspace sums = Workspace.Rent(Workspace.Size<T>(shares * size));
        T* first = sums.Take<T>(shares * size);
        TorchThreads.For(shares, share =>
        {
            T* own = first + share * size;
            Clear(own, size);
            int from = (int)((long)blocks * share / shares), to = (int)((long)blocks * (share + 1) / shares);
            for (int b = from; b < to; b++)
            {
                ReceiverBlock block = graph.Blocks[b];
                long room = BackwardRoom<T>.Of(Settings, Layout, block, null).Numbers;
                using Workspace workspace = Workspace.Rent(Workspace.Size<T>(room));
                Backward(block, weights, (T*)places[b + 1], workspace.Take<T>(room), g, v, own);
            }
        });
        var results = new Tensor?[inputs.Length];
        Layout.Gather<TLanes, T>(weights, first, shares, inputs, results);
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

    private void Backward(in ReceiverBlock block, T* weights, T* memory, T* room, T* byEnergies, T* along, T* share)
    {
        var kept = new AllegroMemory<T>(Settings, Layout, block, memory);
        BackwardRoom<T> work = BackwardRoom<T>.Of(Settings, Layout, block, room);
        Column(block.Edges, kept.Geometry, 4, T.One, work.Envelope);
        Along(block, kept.Geometry, along == null ? null : along + 3L * block.FirstEdge, work);
        fixed (int* starts = &graph.RowStarts[block.FirstAtom])
        {
            HarmonicRows<T> harmonics = Harmonics(block, starts, kept.Geometry.Harmonics, work.HarmonicTangents);
            for (int a = 0, e = 0; a < block.Atoms; a++)
                for (; e < starts[a + 1] - starts[0]; e++) work.ByEnergies[e] = byEnergies == null ? T.Zero : Share * byEnergies[block.FirstAtom + a];
            Tangents(block, harmonics, weights, kept, work);
            Adjoints(block, harmonics, weights, kept, work, share);
        }
        GC.KeepAlive(kept);
        GC.KeepAlive(work);
    }

    /// <summary>Tangents of distances, of what depends on them, and of harmonics.</summary>
    private void Along(in ReceiverBlock block, in EdgeGeometry<T> geometry, T* along, BackwardRoom<T> work)
    {
        int components = Settings.Components, radial = Geometry.Radial;
        for (int e = 0; e < block.Edges; e++)
        {
            T* s = geometry.Scalars + (long)AllegroGeometry.Scalars * e, y = geometry.HarmonicSlopes + 3L * components * e, to = work.HarmonicTangents + (long)components * e;
            (T x0, T x1, T x2) = along == null ? (T.Zero, T.Zero, T.Zero) : (along[3L * e], along[3L * e + 1], along[3L * e + 2]);
            T d = s[0] * x0 + s[1] * x1 + s[2] * x2;
            work.DistanceTangents[e] = d;
            work.EnvelopeTangents[e] = d * s[5];
            for (int j = 0; j < components; j++) to[j] = y[3 * j] * x0 + y[3 * j + 1] * x1 + y[3 * j + 2] * x2;
        }
        AllegroRows<TLanes, T>.Blend(block.Edges, radial, work.DistanceTangents, geometry.RadialSlopes, radial, null, null, 0, work.RadialTangents, radial);
    }

    private void Tangents(in ReceiverBlock block, HarmonicRows<T> harmonics, T* weights, AllegroMemory<T> kept, BackwardRoom<T> work)
    {
        int n = block.Edges, d = Latent, u = Channels;
        long of = (long)n * u, ofAtom = (long)harmonics.Components * u;
        LayerMemory<T>[] layers = kept.Layers;
        Perceptron twoBody = Layout.TwoBody;
        T* first = twoBody.Hidden > 0 ? work.TwoBody[0] : work.Mixed;
        Multiply(n, twoBody.First, weights, work.RadialTangents, Geometry.Radial, first, twoBody.First.Outputs);
        if (twoBody.Hidden > 0)
        {
            Hidden(twoBody, n, weights, kept.TwoBody, work.TwoBody, work.Mixed);
            int width = twoBody.Output.Inputs;
            // f is a factor of what the output matrix reads as well as of what it makes.
            T* read = After(width, kept.TwoBody.Before[^1]);
            AllegroRows<TLanes, T>.Blend(n, width, work.Envelope, work.Mixed, width, work.EnvelopeTangents, read, width, work.Mixed, width);
            Multiply(n, twoBody.Output, weights, work.Mixed, width, work.X[0], layers[0].Stride);
        }
        else AllegroRows<TLanes, T>.Blend(n, d, work.Envelope, work.Mixed, d, work.EnvelopeTangents, kept.Raw, d, work.X[0], layers[0].Stride);
        for (int t = 0; t < Layers; t++)
        {
            LayerMemory<T> layer = layers[t];
            AllegroLayerLayout at = Layout.Layers[t];
            int wide = at.Weights.Outputs, environments = OfEnvironments(t);
            Multiply(n, at.Weights, weights, work.X[t], layer.Stride, work.ByWeights, wide);
            if (t == 0) AllegroRows<TLanes, T>.Features(harmonics, layer.W, work.ByWeights, wide, work.Features, work.FeatureTangents[0]);
            AllegroRows<TLanes, T>.Environments(harmonics, layer.W + environments, work.ByWeights + environments, wide, layer.Environments, work.EnvironmentTangents[t]);
            T* features = t == 0 ? work.Features : layer.Features;
            for (int o = 0; o < Terms[t].Length; o++)
            {
                AllegroTerms<T> terms = Terms[t][o];
                ProductRows z = Product(o, terms, n, layer.X, layer.Stride, work.Product), zDot = Product(o, terms, n, work.X[t], layer.Stride, work.ProductTangents);
                Couple(block, harmonics, ByOutput(terms.ByOutput, z, n, work.Room), features, work.FeatureTangents[t], u, layer.Environments, work.EnvironmentTangents[t],
                    ofAtom, z, zDot);
                if (t + 1 == Layers) continue;
                PackedMatrix mixing = at.Mixing[o];
                Multiply(n * terms.Output.Components, mixing, weights, zDot.At, zDot.Stride, work.FeatureTangents[t + 1] + FirstComponent(t, o) * of, u);
            }
            if (at.Latent.Hidden > 0)
            {
                Multiply(n, at.Latent.First, weights, work.X[t], layer.Stride, work.Latents[t][0], at.Latent.First.Outputs);
                if (t + 1 == Layers && at.Latent.Hidden == 1) continue;
                Hidden(at.Latent, n, weights, layer.Latent, work.Latents[t], work.Mixed);
            }
            if (t + 1 == Layers) continue;
            int read = at.Latent.Output.Inputs;
            bool direct = at.Latent.Hidden == 0;
            Scales(n, Added(t), work);
            AllegroRows<TLanes, T>.Blend(n, read, work.Scale, direct ? work.X[t] : work.Mixed, read, work.ScaleTangents,
                direct ? layer.X : After(read, layer.Latent.Before[^1]), read, work.Mixed, read);
            AllegroRows<TLanes, T>.Blend(n, d, Constant(work.Constant, n, Kept(t)), work.X[t], layer.Stride, null, null, 0, work.X[t + 1], layers[t + 1].Stride);
            Multiply(n, at.Latent.Output, weights, work.Mixed, read, work.X[t + 1], layers[t + 1].Stride, add: true);
        }

        T* After(int width, T* before)
        {
            ActivationRows<Silu<TLanes, T>, TLanes, T>.Values((long)n * width, before, work.After);
            return work.After;
        }
    }

    private void Adjoints(in ReceiverBlock block, HarmonicRows<T> harmonics, T* weights, AllegroMemory<T> kept, BackwardRoom<T> work, T* share)
    {
        int n = block.Edges, d = Latent, u = Channels, components = harmonics.Components;
        long of = (long)n * u, ofAtom = (long)components * u;
        LayerMemory<T>[] layers = kept.Layers;
        // Of the features that a layer makes gradients of E and of S, then of those it has.
        T* above = work.ByFeatures, own = work.ByFeaturesBelow, aboveHat = work.ByFeaturesHat, ownHat = work.ByFeaturesBelowHat;
        T* byX = work.ByX, byXAbove = work.ByXAbove;
        for (int t = Layers - 1; t >= 0; t--)
        {
            LayerMemory<T> layer = layers[t];
            AllegroLayerLayout at = Layout.Layers[t];
            Scales(n, Added(t), work);
            if (t + 1 == Layers) Last(n, weights, layer, work, byX, share);
            else
            {
                T* hat = work.Hat, bar = work.Bar, above0 = layers[t + 1].ByX;
                AllegroRows<TLanes, T>.Blend(n, d, work.Scale, byXAbove, layers[t + 1].Stride, work.ScaleTangents, above0, layers[t + 1].Stride, hat, d);
                AllegroRows<TLanes, T>.Blend(n, d, work.Scale, above0, layers[t + 1].Stride, null, null, 0, bar, d);
                Within(at.Latent, n, weights, layer.Latent, work.Latents[t], work, ref hat, ref bar, at.Latent.Hidden - 1, share);
                First(at.Latent, n, weights, layer, work.X[t], hat, bar, byX, share);
                AllegroRows<TLanes, T>.Update(n, d, Constant(work.Constant, n, Kept(t)), byX, layer.Stride, T.One, byXAbove, layers[t + 1].Stride);
            }
            Clear(own, of * Settings.Products[t].Left);
            Clear(ownHat, of * Settings.Products[t].Left);
            Clear(work.ByEnvironments, block.Atoms * ofAtom);
            Clear(work.ByEnvironmentsHat, block.Atoms * ofAtom);
            T* features = t == 0 ? work.Features : layer.Features;
            for (int o = 0; o < Terms[t].Length; o++)
            {
                AllegroTerms<T> terms = Terms[t][o];
                ProductRows by = Product(o, terms, n, layer.ByX, layer.Stride, work.ByProduct), hat = Product(o, terms, n, byX, layer.Stride, work.ByProductHat);
                if (t + 1 < Layers)
                {
                    PackedMatrix mixing = at.Mixing[o];
                    long from = FirstComponent(t, o) * of;
                    int rows = n * terms.Output.Components;
                    ProductRows z = Product(o, terms, n, layer.X, layer.Stride, work.Product), zDot = Product(o, terms, n, work.X[t], layer.Stride, work.ProductTangents);
                    if (o > 0)
                    {
                        Couple(block, harmonics, ByOutput(terms.ByOutput, z, n, work.Room), features, work.FeatureTangents[t], u, layer.Environments, work.EnvironmentTangents[t],
                            ofAtom, z, zDot);
                        Back(rows, mixing, weights, above + from, u, by.At, by.Stride);
                    }
                    Back(rows, mixing, weights, aboveHat + from, u, hat.At, hat.Stride, add: o == 0);
                    Outer(mixing, rows, z.At, z.Stride, aboveHat + from, u, share);
                    Outer(mixing, rows, zDot.At, zDot.Stride, above + from, u, share);
                }
                TermRows<T> left = ByLeft(terms.ByLeft, by, n, work.Room);
                for (int a = 0, e = 0; a < block.Atoms; a++)
                {
                    for (; e < harmonics.Starts[a + 1] - harmonics.Starts[0]; e++)
                    {
                        AllegroRows<TLanes, T>.Product(left, u, by.At + (long)e * by.Stride, hat.At + (long)e * hat.Stride, layer.Environments + a * ofAtom,
                            work.EnvironmentTangents[t] + a * ofAtom, own + (long)e * u, ownHat + (long)e * u, true);
                    }
                }
                TermRows<T> right = ByRight(terms.ByRight, by, n, work.Room);
                for (int a = 0, e = 0; a < block.Atoms; a++)
                {
                    for (; e < harmonics.Starts[a + 1] - harmonics.Starts[0]; e++)
                    {
                        AllegroRows<TLanes, T>.Product(right, u, by.At + (long)e * by.Stride, hat.At + (long)e * hat.Stride, features + (long)e * u,
                            work.FeatureTangents[t] + (long)e * u, work.ByEnvironments + a * ofAtom, work.ByEnvironmentsHat + a * ofAtom, true);
                    }
                }
            }
            int wide = at.Weights.Outputs, environments = OfEnvironments(t);
            if (t == 0) AllegroRows<TLanes, T>.ByWeights(harmonics, own, ownHat, of, false, wide, work.ByWeights, work.ByWeightsHat);
            AllegroRows<TLanes, T>.ByWeights(
                harmonics, work.ByEnvironments, work.ByEnvironmentsHat, u, true, wide, work.ByWeights + environments, work.ByWeightsHat + environments);
            Outer(at.Weights, n, layer.X, layer.Stride, work.ByWeightsHat, wide, share);
            Outer(at.Weights, n, work.X[t], layer.Stride, work.ByWeights, wide, share);
            Back(n, at.Weights, weights, work.ByWeightsHat, wide, byX, layer.Stride, add: true);
            Swap(ref above, ref own);
            Swap(ref aboveHat, ref ownHat);
            Swap(ref byX, ref byXAbove);
        }
        TwoBody(block, weights, kept, work, byXAbove, share);
    }

    /// <summary>The last layer's output matrix and what follows it are one vector q, or c for latent features.</summary>
    private void Last(int n, T* weights, LayerMemory<T> layer, BackwardRoom<T> work, T* byX, T* share)
    {
        int t = Layers - 1, d = Latent;
        Perceptron latent = Layout.Layers[t].Latent;
        int width = latent.Output.Inputs;
        T keep = Kept(t);
        // Of the weights of an edge's energy e and of its tangent: g (keep x c + added f R q) and keep x' c + added (f' R + f R') q.
        T* energies = work.ByEnergies, factor = work.Constant, mixed = work.Factors, plain = work.PlainFactors;
        for (int e = 0; e < n; e++)
        {
            mixed[e] = energies[e] * work.Scale[e] + Share * work.ScaleTangents[e];
            plain[e] = Share * work.Scale[e];
        }
        T* read = layer.X, readDot = work.X[t], q = weights + Layout.Output;
        T* hat = work.Hat, bar = work.Bar;
        if (latent.Hidden > 0)
        {
            AllegroRows<TLanes, T>.Spread(n, width, mixed, q, hat, width, false);
            int top = latent.Hidden - 1;
            ActivationRows<Silu<TLanes, T>, TLanes, T>.Adjoints(
                (long)n * width, layer.Latent.Before[top], work.Latents[t][top], hat, layer.Latent.ByAfter[top], bar, work.Mixed, work.MixedTangents);
            read = work.Mixed;
            readDot = work.MixedTangents;
        }
        int stride = latent.Hidden > 0 ? width : layer.Stride;
        AllegroRows<TLanes, T>.Collect(n, width, mixed, read, stride, share + Layout.ByOutput);
        AllegroRows<TLanes, T>.Collect(n, width, plain, readDot, stride, share + Layout.ByOutput);
        for (int e = 0; e < n; e++) factor[e] = keep * energies[e];
        AllegroRows<TLanes, T>.Collect(n, d, factor, layer.X, layer.Stride, share + Layout.ByEnergy);
        if (latent.Hidden > 0)
        {
            Within(latent, n, weights, layer.Latent, work.Latents[t], work, ref hat, ref bar, latent.Hidden - 2, share);
            First(latent, n, weights, layer, work.X[t], hat, bar, byX, share);
        }
        else AllegroRows<TLanes, T>.Spread(n, width, mixed, q, byX, layer.Stride, false);
        for (int e = 0; e < n; e++) factor[e] = keep * energies[e];
        AllegroRows<TLanes, T>.Spread(n, d, factor, weights + Layout.Energy, byX, layer.Stride, true);
        AllegroRows<TLanes, T>.Collect(n, d, Constant(factor, n, keep * Share), work.X[t], layer.Stride, share + Layout.ByEnergy);
    }

    /// <summary>
    /// From gradients (S, E) by what the matrix after hidden layer <paramref name="top"/> makes to those by the first hidden layer before activation,
    /// with gradients by the matrices between.
    /// </summary>
    private static void Within(
        Perceptron of, int n, T* weights, HiddenMemory<T> memory, T*[] tangents, BackwardRoom<T> work, ref T* hat, ref T* bar, int top, T* share)
    {
        T* nextHat = hat == work.Hat ? work.HatBelow : work.Hat, nextBar = bar == work.Bar ? work.BarBelow : work.Bar;
        for (int i = top; i >= 0; i--)
        {
            PackedMatrix after = of.Rest[i];
            int width = of.Width(i);
            Back(n, after, weights, hat, after.Outputs, nextHat, width);
            ActivationRows<Silu<TLanes, T>, TLanes, T>.Adjoints(
                (long)n * width, memory.Before[i], tangents[i], nextHat, memory.ByAfter[i], nextBar, work.Mixed, work.MixedTangents);
            Outer(after, n, work.Mixed, width, hat, after.Outputs, share);
            Outer(after, n, work.MixedTangents, width, bar, after.Outputs, share);
            Swap(ref hat, ref nextHat);
            Swap(ref bar, ref nextBar);
        }
    }

    /// <summary>A latent perceptron's first matrix.</summary>
    private static void First(Perceptron of, int n, T* weights, LayerMemory<T> layer, T* xDot, T* hat, T* bar, T* byX, T* share)
    {
        int width = of.First.Outputs;
        Outer(of.First, n, layer.X, layer.Stride, hat, width, share);
        Outer(of.First, n, xDot, layer.Stride, bar, width, share);
        Back(n, of.First, weights, hat, width, byX, layer.Stride);
    }

    private void TwoBody(in ReceiverBlock block, T* weights, AllegroMemory<T> kept, BackwardRoom<T> work, T* byX, T* share)
    {
        int n = block.Edges, d = Latent, stride = kept.Layers[0].Stride, radial = Geometry.Radial;
        Perceptron of = Layout.TwoBody;
        T* hat = work.Hat, bar = work.Bar;
        AllegroRows<TLanes, T>.Blend(n, d, work.Envelope, byX, stride, work.EnvelopeTangents, kept.Layers[0].ByX, stride, hat, d);
        AllegroRows<TLanes, T>.Blend(n, d, work.Envelope, kept.Layers[0].ByX, stride, null, null, 0, bar, d);
        Within(of, n, weights, kept.TwoBody, work.TwoBody, work, ref hat, ref bar, of.Hidden - 1, share);
        int width = of.First.Outputs;
        T* tables = share + Layout.Tables.ByWeight, row = hat;
        for (int a = 0; a < block.Atoms; a++)
        {
            int atom = block.FirstAtom + a;
            for (int e = graph.RowStarts[atom]; e < graph.RowStarts[atom + 1]; e++, row += width)
            {
                DenseRows<TLanes, T>.AddRows(1, width, row, tables + (long)graph.Elements[atom] * width);
                DenseRows<TLanes, T>.AddRows(1, width, row, tables + (long)(Settings.Elements + graph.Elements[graph.Senders[e]]) * width);
            }
        }
        Outer(of.First, n, kept.Geometry.Radial, radial, hat, width, share);
        Outer(of.First, n, work.RadialTangents, radial, bar, width, share);
        Back(n, of.First, weights, hat, width, work.ByRadial, radial);
        Back(n, of.First, weights, bar, width, work.RadialTangents, radial);
        Geometry.ByFrequencies(n, kept.Geometry, work.DistanceTangents, work.ByRadial, work.RadialTangents, share + Layout.ByFrequencies);
    }

    /// <summary>A representation of a product with its tangents.</summary>
    private static void Couple(in ReceiverBlock block, HarmonicRows<T> harmonics, in TermRows<T> rows, T* features, T* featureTangents, int u, T* environments,
        T* environmentTangents, long ofAtom, ProductRows z, ProductRows zDot)
    {
        for (int a = 0, e = 0; a < block.Atoms; a++)
        {
            for (; e < harmonics.Starts[a + 1] - harmonics.Starts[0]; e++)
            {
                AllegroRows<TLanes, T>.Product(rows, u, features + (long)e * u, featureTangents + (long)e * u, environments + a * ofAtom, environmentTangents + a * ofAtom,
                    z.At + (long)e * z.Stride, zDot.At + (long)e * zDot.Stride, false);
            }
        }
    }

    /// <summary>Tangents of hidden layers before activation from the first one, to what the output matrix reads.</summary>
    private static void Hidden(Perceptron of, int n, T* weights, HiddenMemory<T> memory, T*[] before, T* after)
    {
        for (int i = 0; i < of.Hidden; i++)
        {
            ActivationRows<Silu<TLanes, T>, TLanes, T>.Slopes((long)n * of.Width(i), memory.Before[i], before[i], after);
            if (i + 1 < of.Hidden) Multiply(n, of.Rest[i], weights, after, of.Width(i), before[i + 1], of.Width(i + 1));
        }
    }

    /// <summary>What updates of latent features are multiplied with, and its tangent.</summary>
    private static void Scales(int n, T added, BackwardRoom<T> work)
    {
        for (int e = 0; e < n; e++) (work.Scale[e], work.ScaleTangents[e]) = (added * work.Envelope[e], added * work.EnvelopeTangents[e]);
    }

    private static void Outer(PackedMatrix m, int rows, T* x, int xStride, T* g, int gStride, T* share) =>
        Products<TLanes, T>.MultiplyTransposed(m.Inputs, m.Outputs, rows, x, xStride, g, gStride, share + m.ByWeight, m.Outputs, add: true);
}
