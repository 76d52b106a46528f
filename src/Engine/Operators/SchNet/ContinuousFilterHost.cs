using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SchNet;

/// <summary>
/// The passes of SchNet's convolution over chunks of pairs: s = phi W1^T + b1, k = ssp(s), t = k W2^T + b2, w = t f. Everything derives
/// from S = sum over edges of w h_j g_i = sum over pairs of w q, q the sum of h_j g_i over a pair's directions: its gradient is the
/// backward pass, the gradient of its derivative along a direction the double backward pass.
/// </summary>
/// <remarks>Kept: s, k and t, (pairs, filters) each. Of the size of the pairs, but to make them is most of the work.</remarks>
/// <param name="pairs">The edges.</param>
internal sealed class ContinuousFilterHost(PairList pairs) : IOperationPasses
{
    public Tensor?[] Composed(Tensor?[] inputs) => ContinuousFilterComposed.Apply(pairs, inputs);

    public (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep)
    {
        (Tensor features, Tensor radial, Tensor envelope) = (inputs[0]!, inputs[1]!, inputs[2]!);
        (Tensor weight1, Tensor bias1, Tensor weight2, Tensor bias2) = (inputs[3]!, inputs[4]!, inputs[5]!, inputs[6]!);
        Tensor sum = zeros_like(features);
        long filters = features.size(1);
        Tensor Layer() => empty(pairs.Count, filters, dtype: features.dtype, device: features.device);
        Tensor[] kept = keep ? [Layer(), Layer(), Layer()] : [];
        foreach (PairChunk chunk in pairs.Chunks)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor s = Linear(chunk.Of(radial), weight1, bias1), hidden = ShiftedSoftplus.Apply(s), t = Linear(hidden, weight2, bias2);
            if (keep)
            {
                chunk.Of(kept[0]).copy_(s);
                chunk.Of(kept[1]).copy_(hidden);
                chunk.Of(kept[2]).copy_(t);
            }
            Tensor w = t.mul_(chunk.Of(envelope));
            foreach (PairWay way in chunk.Ways) sum.index_add_(0, way.Receivers, features.index_select(0, way.Senders).mul_(w), 1);
        }
        return ([sum], kept);
    }

    public Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients)
    {
        (Tensor features, Tensor radial, Tensor envelope) = (inputs[0]!, inputs[1]!, inputs[2]!);
        Tensor weight1 = inputs[3]!, weight2 = inputs[5]!, gradient = gradients[0]!;
        Tensor[] by = [.. inputs.Select(t => zeros_like(t!))];
        foreach (PairChunk chunk in pairs.Chunks)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor phi = chunk.Of(radial), f = chunk.Of(envelope);
            Tensor hidden = chunk.Of(kept[1]!), t = chunk.Of(kept[2]!), w = t * f;
            Tensor? q = null;
            foreach (PairWay way in chunk.Ways)
            {
                Tensor h = features.index_select(0, way.Senders), g = gradient.index_select(0, way.Receivers);
                Add(ref q, h.mul_(g));
                by[0].index_add_(0, way.Senders, g.mul_(w), 1);
            }
            chunk.Of(by[2]).copy_((t * q!).sum(1, keepdim: true));
            Tensor byT = q!.mul_(f), byS = byT.mm(weight2).mul_(chunk.Of(kept[0]!).sigmoid());
            chunk.Of(by[1]).copy_(byS.mm(weight1));
            AddLinear(by, 3, byS, phi);
            AddLinear(by, 5, byT, hidden);
        }
        return by;
    }

    public Tensor?[]? DoubleBackward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients, Tensor?[] along)
    {
        // Derivatives of forces by weights differentiated again are rare.
        if (!ContinuousFilter.IsAlongEdges(along)) return null;
        (Tensor features, Tensor radial, Tensor envelope) = (inputs[0]!, inputs[1]!, inputs[2]!);
        Tensor weight1 = inputs[3]!, weight2 = inputs[5]!, gradient = gradients[0]!;
        Tensor[] by = [.. inputs.Select(t => zeros_like(t!)), zeros_like(gradient)];
        Tensor? alongFeatures = along[0];
        Tensor dRadial = along[1] ?? zeros_like(radial), dEnvelope = along[2] ?? zeros_like(envelope);
        using Tensor transposed1 = weight1.t(), transposed2 = weight2.t();
        foreach (PairChunk chunk in pairs.Chunks)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor phi = chunk.Of(radial), phiDot = chunk.Of(dRadial), f = chunk.Of(envelope), fDot = chunk.Of(dEnvelope);
            Tensor slope = chunk.Of(kept[0]!).sigmoid(), hidden = chunk.Of(kept[1]!), hiddenDot = phiDot.mm(transposed1).mul_(slope);
            Tensor t = chunk.Of(kept[2]!), tDot = hiddenDot.mm(transposed2);
            Tensor w = t * f, wDot = (t * fDot).addcmul_(tDot, f, 1);
            Tensor? q = null, qDot = null;
            foreach (PairWay way in chunk.Ways)
            {
                Tensor h = features.index_select(0, way.Senders), g = gradient.index_select(0, way.Receivers);
                Tensor? hDot = alongFeatures?.index_select(0, way.Senders);
                Add(ref q, h * g);
                Tensor byG = h.mul_(wDot);
                if (hDot is not null)
                {
                    byG.addcmul_(hDot, w, 1);
                    Add(ref qDot, hDot.mul_(g));
                }
                by[7].index_add_(0, way.Receivers, byG, 1);
                by[0].index_add_(0, way.Senders, g.mul_(wDot), 1);
            }
            Tensor byTDot = q! * f, byT = q! * fDot, byF = tDot.mul_(q!);
            if (qDot is not null)
            {
                byT.addcmul_(qDot, f, 1);
                byF.addcmul_(qDot, t, 1);
            }
            chunk.Of(by[2]).copy_(byF.sum(1, keepdim: true));
            Tensor byHiddenDot = byTDot.mm(weight2);
            // ssp'' = slope (1 - slope)
            Tensor byS = (hiddenDot * (1 - slope)).mul_(byHiddenDot).addcmul_(byT.mm(weight2), slope, 1), bySDot = byHiddenDot.mul_(slope);
            chunk.Of(by[1]).copy_(byS.mm(weight1));
            AddLinear(by, 3, byS, phi);
            by[3].addmm_(bySDot.t(), phiDot, 1, 1);
            AddLinear(by, 5, byT, hidden);
            by[5].addmm_(byTDot.t(), hiddenDot, 1, 1);
        }
        return by;
    }

    private static Tensor Linear(Tensor x, Tensor weight, Tensor bias) => nn.functional.linear(x, weight, bias);

    private static void Add(ref Tensor? sum, Tensor values)
    {
        if (sum is null) sum = values;
        else sum.add_(values);
    }

    /// <summary>Adds the gradients of a layer's weight, at this place, and of its bias, at the next.</summary>
    private static void AddLinear(Tensor[] by, int place, Tensor gradient, Tensor input)
    {
        by[place].addmm_(gradient.t(), input, 1, 1);
        by[place + 1].add_(gradient.sum(0, keepdim: false)); // sum(0) alone would mean a type
    }
}
