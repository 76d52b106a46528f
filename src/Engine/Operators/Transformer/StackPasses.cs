using System.Numerics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// Forward and backward of layers on raw memory. Molecules go through each in parts of about <see cref="BlockParts.Tokens"/> tokens; gradients by
/// the weights are summed per share, consecutive parts in their order, then over shares in theirs. Parts and shares follow from the data alone, so
/// results do not depend on the number of threads or on which of them did what.
/// </summary>
internal sealed unsafe class StackPasses<TLanes, T> : IStackPasses
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly StackShape shape;
    private readonly LayerLayout<TLanes, T> layout;
    private readonly int h, n, heads, d;
    private readonly int[] parts;
    private readonly T epsilon;

    public StackPasses(StackShape shape)
    {
        this.shape = shape;
        (h, n, heads, d) = (shape.Width, shape.Inner, shape.Heads, shape.HeadWidth);
        layout = new LayerLayout<TLanes, T>(shape);
        parts = shape.Rows.Parts(BlockParts.Tokens);
        epsilon = T.CreateChecked(shape.Settings[0].Epsilon);
    }

    private int Parts => parts.Length - 1;

    public (Tensor Output, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep)
    {
        Tensor x = inputs[0]!, output = empty_like(x);
        // Without a backward pass to come every part could reuse what the last one wrote, but long molecules' rows are found by their place.
        var kept = new Tensor?[keep ? shape.Layers : 1];
        for (int layer = 0; layer < kept.Length; layer++) kept[layer] = empty(layout.KeptNumbers(input: layer > 0), dtype: x.dtype);
        using TensorMemory ofX = new(x), ofOutput = new(output);
        nint[] ofKept = Addresses(kept, 0, kept.Length);
        using Workspace packed = Workspace.Rent(layout.PackedBytes);
        T* from = (T*)ofX.Address, last = (T*)ofOutput.Address;
        for (int layer = 0; layer < shape.Layers; layer++)
        {
            LayerKept<T> own = layout.Kept((T*)ofKept[keep ? layer : 0]);
            // Layers whose inputs nobody needs again work in place.
            T* to = keep && layer + 1 < shape.Layers ? layout.Kept((T*)ofKept[layer + 1]).Input : last, x0 = from;
            LayerPointers<T> w = Weights(inputs, layer);
            packed.Restart();
            LayerMatrices<T> m = layout.Pack(w, packed);
            TransformerSettings settings = shape.Settings[layer];
            TorchThreads.For(Parts, part => ForwardPart(part, settings, x0, to, own, w, m));
            from = to;
        }
        GC.KeepAlive(inputs);
        GC.KeepAlive(kept);
        if (keep) return (output, kept);
        kept[0]!.Dispose();
        return (output, []);
    }

    public Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor gradient)
    {
        Tensor x = inputs[0]!, byX = empty_like(x);
        var results = new Tensor?[inputs.Length];
        results[0] = byX;
        var places = new GradientPlace[inputs.Length];
        var wanted = new bool[inputs.Length];
        wanted[0] = x.requires_grad;
        IGradientPlaces? trained = RunScope.Current.Trained;
        for (int i = 1; i < inputs.Length; i++)
        {
            wanted[i] = trained?.Holds(inputs[i]!, out _) == true || inputs[i]!.requires_grad;
            if (wanted[i]) places[i] = RunScope.Current.PlaceOf(inputs[i]!);
            if (places[i].All is null) results[i] = empty_like(inputs[i]!);
        }
        long numbers = layout.SumNumbers;
        int shares = BlockParts.Shares(Parts, numbers * sizeof(T));
        // One thread adds share after share to one sum that stays in its cache: the same sums in the same order.
        bool alone = shares == 1 || ThreadGrant.Now == 1;
        using TensorMemory ofX = new(x), ofByX = new(byX), ofGradient = new(gradient);
        nint[] ofKept = Addresses(kept, 0, kept.Length);
        using Workspace turned = Workspace.Rent(layout.TurnedBytes), sums = Workspace.Rent((nuint)(alone ? 2 : shares) * Workspace.Size<T>(numbers));
        T* first = sums.Take<T>((alone ? 2 : shares) * numbers), up = (T*)ofGradient.Address, to = (T*)ofByX.Address;
        for (int layer = shape.Layers - 1; layer >= 0; layer--)
        {
            LayerKept<T> own = layout.Kept((T*)ofKept[layer]);
            if (layer == 0) own.Input = (T*)ofX.Address;
            LayerPointers<T> w = Weights(inputs, layer), into = Places(results, places, layer, out bool[] add);
            turned.Restart();
            var work = new LayerWork { Settings = shape.Settings[layer], Up = up, ByX = to, Kept = own, Weights = w, Matrices = layout.Turn(w, turned) };
            if (alone) layout.Gather(Together(work, first, shares, into, add), 0, 1, into, add);
            else
            {
                TorchThreads.For(shares, share =>
                {
                    LayerSums<T> by = layout.Sums(first + share * numbers);
                    layout.Clear(by);
                    int start = Start(share, shares), end = Start(share + 1, shares);
                    for (int part = start; part < end; part++) BackwardPart(part, part > start, work, by);
                });
                layout.Gather(layout.Sums(first), numbers, shares, into, add);
            }
            up = to;
        }
        GC.KeepAlive(inputs);
        GC.KeepAlive(kept);
        GC.KeepAlive(results);
        GC.KeepAlive(places);
        for (int i = 0; i < inputs.Length; i++)
        {
            if (wanted[i]) continue;
            results[i]?.Dispose();
            results[i] = null;
        }
        return results;
    }

    private int Start(int share, int shares) => (int)((long)Parts * share / shares);

    /// <summary>All shares on one thread; some sums are where they belong already.</summary>
    private LayerSums<T> Together(LayerWork work, T* memory, int shares, LayerPointers<T> into, bool[] add)
    {
        LayerSums<T> all = layout.Sums(memory), one = layout.Sums(memory + layout.SumNumbers);
        if (!add[7]) all.Expand = into.Expand;
        if (!add[9]) all.Contract = into.Contract;
        bool inProducts = shares == Parts && Products<TLanes, T>.AddsLast(h) && Products<TLanes, T>.AddsLast(n);
        TorchThreads.For(1, _ =>
        {
            for (int share = 0; share < shares; share++)
            {
                LayerSums<T> by = share == 0 || inProducts ? all : one;
                if (share > 0) by.Small = one.Small;
                layout.Clear(by);
                int start = Start(share, shares), end = Start(share + 1, shares);
                for (int part = start; part < end; part++) BackwardPart(part, inProducts ? part > 0 : part > start, work, by);
                if (share > 0) layout.Add(one, all, matrices: !inProducts);
            }
        });
        return all;
    }

    private void ForwardPart(int part, TransformerSettings settings, T* x, T* output, in LayerKept<T> kept, in LayerPointers<T> w, in LayerMatrices<T> m)
    {
        int first = shape.Rows.Starts[parts[part]], count = shape.Rows.Starts[parts[part + 1]] - first;
        long at = (long)first * h;
        using Workspace workspace = Workspace.Rent(Workspace.Size<T>((long)count * h) + Workspace.Size<T>((long)count * n) + AttentionScratch());
        T* y = workspace.Take<T>((long)count * h), inner = workspace.Take<T>((long)count * n);
        T* scratch = layout.HasLanes ? workspace.Take<T>(HeadLanes<TLanes, T>.Scratch(shape.Rows.Longest)) : null;
        T* o = output + at, qkv = kept.QueryKeyValue + 3 * at, u = kept.Inner + (long)first * n;
        var norm1 = new NormWeights<T>(w.Norm1Weight, w.Norm1Bias, epsilon);
        RowPasses<TLanes, T>.Norm(count, h, x + at, norm1, w.ProjectionBias, o, null, y, kept.Mean + first, kept.Reciprocal1 + first);
        Products<TLanes, T>.Multiply(count, 3 * h, h, y, h, m.QueryKeyValue, 3 * h, qkv, 3 * h);
        for (int b = parts[part]; b < parts[part + 1]; b++) Attend(settings, b, kept, scratch);
        Products<TLanes, T>.Multiply(count, h, h, kept.Attended + at, h, m.Projection, h, o, h, add: true);
        var norm2 = new NormWeights<T>(w.Norm2Weight, w.Norm2Bias, epsilon);
        RowPasses<TLanes, T>.Norm(count, h, o, norm2, w.ContractBias, o, kept.Normalized2 + at, y, null, kept.Reciprocal2 + first);
        Products<TLanes, T>.Multiply(count, n, h, y, h, m.Expand, n, u, n);
        RowPasses<TLanes, T>.Gelu(count, n, u, w.ExpandBias, inner);
        Products<TLanes, T>.Multiply(count, h, n, inner, n, m.Contract, h, o, h, add: true);
        GC.KeepAlive(this);
    }

    private void BackwardPart(int part, bool add, LayerWork work, in LayerSums<T> by)
    {
        int first = shape.Rows.Starts[parts[part]], count = shape.Rows.Starts[parts[part + 1]] - first;
        long at = (long)first * h, wide = (long)count * h, full = Math.Max((long)count * n, 3 * wide);
        using Workspace workspace = Workspace.Rent(3 * Workspace.Size<T>(wide) + 2 * Workspace.Size<T>(full) + AttentionScratch());
        T* byInner = workspace.Take<T>(full), inner = workspace.Take<T>(full), byQkv = byInner;
        T* byY = workspace.Take<T>(wide), y = workspace.Take<T>(wide), normalized = workspace.Take<T>(wide);
        T* scratch = layout.HasLanes ? workspace.Take<T>(HeadLanes<TLanes, T>.Scratch(shape.Rows.Longest)) : null;
        T* g = work.Up + at, bx = work.ByX + at;
        LayerKept<T> kept = work.Kept;
        LayerPointers<T> w = work.Weights;
        LayerMatrices<T> m = work.Matrices;

        Products<TLanes, T>.Multiply(count, n, h, g, h, m.Contract, n, byInner, n);
        RowPasses<TLanes, T>.GeluBackward(count, n, kept.Inner + (long)first * n, w.ExpandBias, byInner, inner, by.ExpandBias);
        Products<TLanes, T>.MultiplyTransposed(h, n, count, g, h, inner, n, by.Contract, n, add);
        RowPasses<TLanes, T>.AddRows(count, h, g, by.ContractBias);
        Products<TLanes, T>.Multiply(count, h, n, byInner, n, m.Expand, h, byY, h);
        var norm2 = new NormWeights<T>(w.Norm2Weight, w.Norm2Bias, epsilon);
        RowPasses<TLanes, T>.NormAgain(count, h, kept.Normalized2 + at, null, null, norm2, null, y);
        Products<TLanes, T>.MultiplyTransposed(n, h, count, byInner, n, y, h, by.Expand, h, add);
        RowPasses<TLanes, T>.NormBackward(count, h, byY, kept.Normalized2 + at, kept.Reciprocal2 + first, w.Norm2Weight, g, bx, by.Norm2Weight, by.Norm2Bias,
            by.ProjectionBias);

        Products<TLanes, T>.MultiplyTransposed(h, h, count, bx, h, kept.Attended + at, h, by.Projection, h, add);
        Products<TLanes, T>.Multiply(count, h, h, bx, h, m.Projection, h, byY, h);
        for (int b = parts[part]; b < parts[part + 1]; b++) AttendBackward(work.Settings, b, first, kept, byY, byQkv, scratch);
        var norm1 = new NormWeights<T>(w.Norm1Weight, w.Norm1Bias, epsilon);
        RowPasses<TLanes, T>.NormAgain(count, h, kept.Input + at, kept.Mean + first, kept.Reciprocal1 + first, norm1, normalized, y);
        Products<TLanes, T>.MultiplyTransposed(3 * h, h, count, byQkv, 3 * h, y, h, by.QueryKeyValue, h, add);
        Products<TLanes, T>.Multiply(count, h, 3 * h, byQkv, 3 * h, m.QueryKeyValue, h, byY, h);
        RowPasses<TLanes, T>.NormBackward(count, h, byY, normalized, kept.Reciprocal1 + first, w.Norm1Weight, bx, bx, by.Norm1Weight, by.Norm1Bias);
        GC.KeepAlive(this);
    }

    private nuint AttentionScratch() => layout.HasLanes ? Workspace.Size<T>(HeadLanes<TLanes, T>.Scratch(shape.Rows.Longest)) : 0;

    private HeadShape Head(TransformerSettings settings, int molecule) =>
        new(shape.Rows.Starts[molecule + 1] - shape.Rows.Starts[molecule], d, settings.Window, settings.Scale);

    /// <summary>Molecule by molecule, heads in groups as many as there are lanes.</summary>
    private HeadRows<T> Rows(in LayerKept<T> kept, long first, int group)
    {
        int feature = group * d * TLanes.Count;
        return new HeadRows<T>(kept.QueryKeyValue + 3 * first * h + feature, h, 3L * h, kept.Attended + first * h + feature, h,
            kept.LogSum + first * heads + group * TLanes.Count, heads);
    }

    private void Attend(TransformerSettings settings, int molecule, in LayerKept<T> kept, T* scratch)
    {
        if (!layout.HasLanes)
        {
            if (ManyHeads) Each<ManyHeadsTask<TLanes, T>>(kept);
            else Each<FewHeadsTask<TLanes, T>>(kept);
            return;
        }
        for (int group = 0; group < heads / TLanes.Count; group++)
            HeadLanes<TLanes, T>.Forward(Head(settings, molecule), Rows(kept, shape.Rows.Starts[molecule], group), scratch);

        void Each<TTask>(in LayerKept<T> k)
            where TTask : IAttentionTask<T>
        {
            var attention = new AttentionShape(shape.Rows, heads, d, settings.Window, settings.Scale);
            int tasks = TTask.TasksPerMolecule(heads);
            for (int task = 0; task < tasks; task++) TTask.Forward(attention, molecule * tasks + task, k.QueryKeyValue, k.Attended, k.LogSum);
        }
    }

    /// <param name="settings">The layer's.</param>
    /// <param name="molecule">Which.</param>
    /// <param name="partFirst">The first token of the part, where the next two begin.</param>
    /// <param name="kept">Of the whole batch.</param>
    /// <param name="up">(part, h)</param>
    /// <param name="byQkv">(part, 3 h), written.</param>
    /// <param name="scratch">For lanes of heads.</param>
    private void AttendBackward(TransformerSettings settings, int molecule, int partFirst, in LayerKept<T> kept, T* up, T* byQkv, T* scratch)
    {
        if (!layout.HasLanes)
        {
            if (ManyHeads) Each<ManyHeadsTask<TLanes, T>>(kept);
            else Each<FewHeadsTask<TLanes, T>>(kept);
            return;
        }
        long first = shape.Rows.Starts[molecule], own = first - partFirst;
        for (int group = 0; group < heads / TLanes.Count; group++)
        {
            int feature = group * d * TLanes.Count;
            HeadLanes<TLanes, T>.Backward(Head(settings, molecule), Rows(kept, first, group), up + own * h + feature, byQkv + 3 * own * h + feature, h, scratch);
        }

        void Each<TTask>(in LayerKept<T> k)
            where TTask : IAttentionTask<T>
        {
            // Tasks find rows by their place in the batch.
            var attention = new AttentionShape(shape.Rows, heads, d, settings.Window, settings.Scale);
            int tasks = TTask.TasksPerMolecule(heads);
            T* u = up - (long)partFirst * h, target = byQkv - 3L * partFirst * h;
            for (int task = 0; task < tasks; task++)
                TTask.Backward(attention, molecule * tasks + task, k.QueryKeyValue, k.Attended, k.LogSum, u, target);
        }
    }

    /// <summary>A lane per head where that leaves at most half of them idle.</summary>
    private bool ManyHeads => 2 * heads >= TLanes.Count;

    /// <summary>Where tensors lie. Whoever asks keeps them alive.</summary>
    private static nint[] Addresses(Tensor?[] tensors, int first, int count)
    {
        var addresses = new nint[count];
        IGradientPlaces? trained = RunScope.Current.Trained;
        for (int i = 0; i < count; i++)
        {
            if (trained?.Holds(tensors[first + i]!, out addresses[i]) == true) continue;
            using var memory = new TensorMemory(tensors[first + i]);
            addresses[i] = memory.Address;
        }
        return addresses;
    }

    /// <summary>Where a layer's weights lie. Whoever asks keeps the tensors alive.</summary>
    private static LayerPointers<T> Weights(Tensor?[] inputs, int layer)
    {
        LayerPointers<T> weights = Pointers(Addresses(inputs, 1 + BlockWeights.Count * layer, BlockWeights.Count));
        GC.KeepAlive(inputs);
        return weights;
    }

    /// <summary>Where gradients by a layer's weights go. Whoever asks keeps the tensors alive.</summary>
    private static LayerPointers<T> Places(Tensor?[] results, GradientPlace[] places, int layer, out bool[] add)
    {
        var addresses = new nint[BlockWeights.Count];
        add = new bool[BlockWeights.Count];
        (Tensor? Tensor, nint Address) last = default;
        for (int i = 0; i < addresses.Length; i++)
        {
            int input = 1 + BlockWeights.Count * layer + i;
            GradientPlace place = results[input] is null ? places[input] : default;
            add[i] = place.Add;
            if (place.All is { } all && ReferenceEquals(all, last.Tensor))
            {
                addresses[i] = last.Address + (nint)place.Offset * sizeof(T);
                continue;
            }
            using var memory = new TensorMemory(results[input] ?? place.All);
            addresses[i] = memory.Address + (nint)place.Offset * sizeof(T);
            if (place.All is not null) last = (place.All, memory.Address);
        }
        return Pointers(addresses);
    }

    private static LayerPointers<T> Pointers(nint[] a) => new()
    {
        Norm1Weight = (T*)a[0],
        Norm1Bias = (T*)a[1],
        QueryKeyValue = (T*)a[2],
        Projection = (T*)a[3],
        ProjectionBias = (T*)a[4],
        Norm2Weight = (T*)a[5],
        Norm2Bias = (T*)a[6],
        Expand = (T*)a[7],
        ExpandBias = (T*)a[8],
        Contract = (T*)a[9],
        ContractBias = (T*)a[10],
    };

    /// <summary>What a layer's backward pass works with.</summary>
    private sealed class LayerWork
    {
        public required TransformerSettings Settings { get; init; }

        /// <summary>(T, h)</summary>
        public T* Up { get; init; }

        /// <summary>(T, h), written; may be <see cref="Up"/>.</summary>
        public T* ByX { get; init; }

        public LayerKept<T> Kept { get; init; }

        public LayerPointers<T> Weights { get; init; }

        public LayerMatrices<T> Matrices { get; init; }
    }
}

/// <summary>The layers' passes at one number type and vector width.</summary>
internal interface IStackPasses
{
    /// <param name="inputs">x and the weights.</param>
    /// <param name="keep">Whether a backward pass may follow.</param>
    (Tensor Output, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep);

    /// <returns>Gradients by x and the weights; null where none is wanted.</returns>
    Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor gradient);
}
