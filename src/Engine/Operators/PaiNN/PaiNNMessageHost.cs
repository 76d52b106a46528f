using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.PaiNN;

/// <summary>
/// The passes of PaiNN's message over chunks of pairs. With w = R W^T, everything derives from the scalar
/// S = sum over edges of x_a w_a gq_i + x_b w_b (u . gmu_i) + x_c w_c (mu_j . gmu_i) = sum of (x w) . P:
/// its gradient is the backward pass, the gradient of its derivative along a direction the double backward pass.
/// </summary>
/// <param name="pairs">The edges.</param>
/// <param name="context">(atoms, 3 F) x</param>
/// <param name="vectors">(atoms, 3, F) mu, or null</param>
/// <param name="directions">(pairs, 3) u</param>
/// <param name="radial">(pairs, K) R</param>
/// <param name="filter">(3 F, K) W</param>
internal sealed class PaiNNMessageHost(PairList pairs, Tensor context, Tensor? vectors, Tensor directions, Tensor radial, Tensor filter)
{
    private readonly long features = context.size(1) / 3;

    public (Tensor Scalars, Tensor Vectors) Forward()
    {
        Tensor scalarSum = Zeros(pairs.Atoms, features), vectorSum = Zeros(pairs.Atoms, 3, features);
        using Tensor transposed = filter.t();
        foreach (PairChunk chunk in pairs.Chunks)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor w = chunk.Of(radial).mm(transposed), u = Columns(chunk.Of(directions));
            foreach (PairWay way in chunk.Ways)
            {
                Tensor y = context.index_select(0, way.Senders).mul_(w);
                Tensor along = Part(y, 1) * Signed(u, way);
                if (vectors is not null) along.add_(vectors.index_select(0, way.Senders).mul_(Part(y, 2)));
                scalarSum.index_add_(0, way.Receivers, Scalars(y), 1);
                vectorSum.index_add_(0, way.Receivers, along, 1);
            }
        }
        return (scalarSum, vectorSum);
    }

    /// <returns>By x, mu (null where there is none), u, R and W.</returns>
    public Tensor?[] Backward(Tensor scalarGradient, Tensor vectorGradient)
    {
        Tensor byContext = zeros_like(context), byDirections = empty_like(directions), byRadial = empty_like(radial);
        Tensor byFilter = Zeros(filter.size(1), filter.size(0));
        Tensor? byVectors = vectors is null ? null : zeros_like(vectors);
        using Tensor transposed = filter.t();
        foreach (PairChunk chunk in pairs.Chunks)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor r = chunk.Of(radial), w = r.mm(transposed), u = Columns(chunk.Of(directions));
            Tensor? byW = null, byU = null;
            foreach (PairWay way in chunk.Ways)
            {
                Tensor x = context.index_select(0, way.Senders), g = vectorGradient.index_select(0, way.Receivers);
                Tensor? mu = vectors?.index_select(0, way.Senders);
                Tensor gq = scalarGradient.index_select(0, way.Receivers);
                Tensor p = Coefficients(gq, Dot(g, Signed(u, way)), mu is null ? null : Dot(g, mu));
                Add(ref byU, (g * Part(x, 1).mul(Part(w, 1))).sum(2), way.Reversed);
                byVectors?.index_add_(0, way.Senders, g.mul_(Part(x, 2).mul(Part(w, 2))), 1);
                Add(ref byW, x.mul_(p));
                byContext.index_add_(0, way.Senders, p.mul_(w), 1);
            }
            chunk.Of(byDirections).copy_(byU!);
            chunk.Of(byRadial).copy_(Narrow(byW!));
            byFilter.addmm_(r.t(), byW!, 1, 1);
        }
        return [byContext, byVectors, byDirections, byRadial, byFilter.t()];
    }

    /// <summary>The gradient of the derivative of S along (alongContext, ...), by x, mu, u, R, W, gq and gmu.</summary>
    public Tensor?[] DoubleBackward(Tensor scalarGradient, Tensor vectorGradient, Tensor? alongContext, Tensor? alongVectors,
        Tensor? alongDirections, Tensor? alongRadial)
    {
        Tensor du = alongDirections ?? zeros_like(directions), dr = alongRadial ?? zeros_like(radial);
        Tensor byContext = zeros_like(context), byDirections = empty_like(directions), byRadial = empty_like(radial);
        Tensor byFilter = Zeros(filter.size(1), filter.size(0));
        Tensor byScalars = Zeros(pairs.Atoms, features), byVectorGradient = Zeros(pairs.Atoms, 3, features);
        Tensor? byVectors = vectors is null ? null : zeros_like(vectors);
        using Tensor transposed = filter.t();
        foreach (PairChunk chunk in pairs.Chunks)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor r = chunk.Of(radial), rDot = chunk.Of(dr), w = r.mm(transposed), wDot = rDot.mm(transposed);
            Tensor u = Columns(chunk.Of(directions)), uDot = Columns(chunk.Of(du));
            Tensor? byW = null, byWDot = null, byU = null;
            foreach (PairWay way in chunk.Ways)
            {
                Tensor x = context.index_select(0, way.Senders), g = vectorGradient.index_select(0, way.Receivers);
                Tensor? xDot = alongContext?.index_select(0, way.Senders);
                Tensor? mu = vectors?.index_select(0, way.Senders), muDot = alongVectors?.index_select(0, way.Senders);
                Tensor signed = Signed(u, way), signedDot = Signed(uDot, way);
                Tensor gq = scalarGradient.index_select(0, way.Receivers);
                Tensor p = Coefficients(gq, Dot(g, signed), mu is null ? null : Dot(g, mu));
                Tensor pDotB = Dot(g, signedDot);
                Tensor? pDotC = muDot is null ? null : Dot(g, muDot);
                Tensor y = x * w, yDot = x * wDot;
                if (xDot is not null) yDot.addcmul_(xDot, w, 1);

                byScalars.index_add_(0, way.Receivers, Scalars(yDot), 1);
                Tensor byG = Part(yDot, 1) * signed;
                byG.add_(Part(y, 1) * signedDot);
                if (mu is not null) byG.add_(mu.mul_(Part(yDot, 2)));
                if (muDot is not null) byG.add_(muDot.mul_(Part(y, 2)));
                byVectorGradient.index_add_(0, way.Receivers, byG, 1);

                Add(ref byU, (g * Part(yDot, 1)).sum(2), way.Reversed);
                byVectors?.index_add_(0, way.Senders, g.mul_(Part(yDot, 2)), 1);

                Tensor byX = p * wDot;
                Flat(byX, 1).addcmul_(pDotB, Flat(w, 1), 1);
                if (pDotC is not null) Flat(byX, 2).addcmul_(pDotC, Flat(w, 2), 1);
                byContext.index_add_(0, way.Senders, byX, 1);

                Tensor ofW = xDot is null ? zeros_like(x) : xDot.mul_(p);
                Flat(ofW, 1).addcmul_(pDotB, Flat(x, 1), 1);
                if (pDotC is not null) Flat(ofW, 2).addcmul_(pDotC, Flat(x, 2), 1);
                Add(ref byW, ofW);
                Add(ref byWDot, p.mul_(x));
            }
            chunk.Of(byDirections).copy_(byU!);
            chunk.Of(byRadial).copy_(Narrow(byW!));
            byFilter.addmm_(r.t(), byW!, 1, 1).addmm_(rDot.t(), byWDot!, 1, 1);
        }
        return [byContext, byVectors, byDirections, byRadial, byFilter.t(), byScalars, byVectorGradient];
    }

    private static Tensor Columns(Tensor perPair) => perPair.unsqueeze(2);

    private static Tensor Signed(Tensor values, PairWay way) => way.Reversed ? values.neg() : values;

    private static void Add(ref Tensor? sum, Tensor values, bool negative = false)
    {
        if (sum is null) sum = negative ? values.neg_() : values;
        else sum.add_(values, negative ? -1 : 1);
    }

    /// <summary>Sums of products over xyz: (chunk, 3, F) by (chunk, 3, F or 1) gives (chunk, F). To reduce one product is slower.</summary>
    private static Tensor Dot(Tensor a, Tensor b) =>
        (a.select(1, 0) * b.select(1, 0)).addcmul_(a.select(1, 1), b.select(1, 1), 1).addcmul_(a.select(1, 2), b.select(1, 2), 1);

    /// <summary>(chunk, 3 F) W as (W^T (chunk, 3 F)^T)^T: the wide side of such a narrow product had better be its columns.</summary>
    private Tensor Narrow(Tensor byW) => filter.t().mm(byW.t()).t();

    private Tensor Coefficients(Tensor a, Tensor b, Tensor? c) => cat([a, b, c ?? zeros_like(b)], 1);

    /// <summary>A copy: the library adds strided rows by index several times more slowly than it copies them.</summary>
    private Tensor Scalars(Tensor threefold) => Flat(threefold, 0).contiguous();

    /// <summary>(chunk, F): a, b or c of (chunk, 3 F)</summary>
    private Tensor Flat(Tensor threefold, int which) => threefold.narrow(1, which * features, features);

    /// <summary>(chunk, 1, F)</summary>
    private Tensor Part(Tensor threefold, int which) => Flat(threefold, which).unsqueeze(1);

    private Tensor Zeros(params long[] shape) => zeros(shape, dtype: context.dtype, device: context.device);
}

/// <summary>
/// <see cref="PaiNNMessage"/> in chunks of pairs, as an autograd function: nothing as large as the edges is kept, filters are computed
/// again in each pass. Inputs: x, mu or null, u, [phi f | f], [W | bias].
/// </summary>
internal sealed class PaiNNMessageHostFunction(PairList pairs) : AutogradFunction
{
    public static (Tensor Scalars, Tensor Vectors) Apply(Tensor context, Tensor? vectors, PaiNNPairs pairs, Tensor filter)
    {
        Tensor[] outputs = new PaiNNMessageHostFunction(pairs.Pairs).Apply(context, vectors, pairs.Directions, pairs.Radial, filter);
        return (outputs[0], outputs[1]);
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        if (context.NeedsGradient) context.Save(inputs);
        (Tensor scalars, Tensor vectors) = new PaiNNMessageHost(pairs, inputs[0]!, inputs[1], inputs[2]!, inputs[3]!, inputs[4]!).Forward();
        return [scalars, vectors];
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        Tensor?[] inputs = context.Saved();
        long atoms = inputs[0]!.size(0), features = inputs[0]!.size(1) / 3;
        Tensor scalars = gradients[0] ?? zeros([atoms, features], dtype: inputs[0]!.dtype);
        Tensor vectors = gradients[1] ?? zeros([atoms, 3, features], dtype: inputs[0]!.dtype);
        return PaiNNMessageGradient.Apply(pairs, inputs, scalars, vectors);
    }

    /// <summary>The backward pass as a function of its own, since training differentiates forces.</summary>
    private sealed class PaiNNMessageGradient(PairList pairs) : AutogradFunction
    {
        private const int Inputs = 5;

        /// <returns>Gradients by the five inputs, null by mu where there is none.</returns>
        public static Tensor?[] Apply(PairList pairs, Tensor?[] inputs, Tensor scalars, Tensor vectors)
        {
            Tensor[] outputs = new PaiNNMessageGradient(pairs).Apply([.. inputs, scalars, vectors]);
            return inputs[1] is null ? [outputs[0], null, .. outputs[1..]] : [.. outputs];
        }

        protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
        {
            if (context.NeedsGradient) context.Save(inputs);
            return [.. Sums(inputs).Backward(inputs[Inputs]!, inputs[Inputs + 1]!).OfType<Tensor>()];
        }

        protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
        {
            Tensor?[] inputs = context.Saved();
            Tensor?[] along = inputs[1] is null ? [gradients[0], null, .. gradients[1..]] : gradients;
            // Derivatives of forces by weights differentiated again, or third derivatives: rare enough for the composed form.
            return is_grad_enabled() || along[4] is not null
                ? ComposedDerivatives.OfBackward(Composed, inputs.AsSpan(0, Inputs), inputs.AsSpan(Inputs), along)
                : Sums(inputs).DoubleBackward(inputs[Inputs]!, inputs[Inputs + 1]!, along[0], along[1], along[2], along[3]);
        }

        private Tensor[] Composed(Tensor?[] inputs)
        {
            var features = new PaiNNPairs(pairs, inputs[2]!, inputs[3]!);
            (Tensor scalars, Tensor vectors) = PaiNNMessage.Composed(inputs[0]!, inputs[1], features, inputs[4]!);
            return [scalars, vectors];
        }

        private PaiNNMessageHost Sums(Tensor?[] inputs) => new(pairs, inputs[0]!, inputs[1], inputs[2]!, inputs[3]!, inputs[4]!);
    }
}
