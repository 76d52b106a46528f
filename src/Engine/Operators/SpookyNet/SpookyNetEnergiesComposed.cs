using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>The same by library operations.</summary>
internal static class SpookyNetEnergiesComposed
{
    /// <param name="settings">What is no tensor.</param>
    /// <param name="frames">The frames.</param>
    /// <param name="inputs">As <see cref="SpookyNetEnergies"/> has them.</param>
    /// <returns>e, dE/dr</returns>
    public static Tensor?[] Apply(SpookyNetSettings settings, SpookyNetFrames frames, Tensor?[] inputs) =>
        EnergyDerivatives.Apply(inputs, given => Energies(settings, frames, [.. given.Select(t => t!)]));

    private static Tensor Energies(SpookyNetSettings s, SpookyNetFrames frames, Tensor[] inputs)
    {
        using DisposeScope scope = NewDisposeScope();
        var weights = new Queue<Tensor>(inputs[s.Fixed..]);
        Tensor table = weights.Dequeue() + inputs[1].matmul(weights.Dequeue().t()), z = table.index_select(0, frames.Numbers);
        using var slots = new FrameSlots(frames.AtomsPerFrame, z.device);
        Tensor totals = frames.Charges ?? zeros(frames.AtomsPerFrame.Count, dtype: ScalarType.Float64, device: z.device);
        Tensor x = z + Electronic(z, stack([totals, -totals], 1).relu()) + Electronic(z, (frames.Spins ?? zeros_like(totals)).abs().unsqueeze(1));

        // Both directions of the pairs, those of all first edges before the others.
        Tensor vectors = frames.Pairs.OfEdges(inputs[0], odd: true), senders = frames.Pairs.Senders, receivers = frames.Pairs.Receivers;
        Tensor distances = EdgeDistances.Apply(vectors), near;
        using (no_grad()) near = distances.squeeze(1).lt(s.Cutoff).nonzero().squeeze(1);
        Tensor nearSenders = senders.index_select(0, near), nearReceivers = receivers.index_select(0, near), d = distances.index_select(0, near);
        Tensor envelope = BumpCutoff.Apply(d, s.Cutoff), decay = nn.functional.softplus(weights.Dequeue());
        Tensor powers = tensor(ExponentialBernsteinBasis.Powers(s.RadialFunctions), dtype: x.dtype, device: x.device);
        Tensor logBinomials = tensor(ExponentialBernsteinBasis.LogBinomials(s.RadialFunctions), dtype: x.dtype, device: x.device);
        Tensor radial = ExponentialBernsteinBasis.Apply(d, decay, powers, logBinomials) * envelope, harmonics = Harmonics(vectors.index_select(0, near) / d);
        Tensor? sum = null;
        for (int l = 0; l < s.Interactions; l++)
        {
            x = Residual(x);
            Tensor filters = radial.matmul(cat([Next(), Next(), Next()], 0).t()), local = Perceptron(x), sent = cat([Perceptron(x), Perceptron(x), Perceptron(x)], 1);
            Tensor gathered = LocalMessages.Apply(filters, sent, harmonics, nearSenders, nearReceivers);
            local = Perceptron(local + gathered.select(1, 0) + Invariant(gathered.narrow(1, 1, 3), Next()) + Invariant(gathered.narrow(1, 4, 5), Next()));
            Tensor q = Perceptron(x), k = Perceptron(x), v = Perceptron(x);
            x = Residual(x + local + FrameAttention.Apply(q, k, v, inputs[2 + l], frames.FrameOfAtom, slots));
            Tensor part = Perceptron(x);
            sum = sum is null ? part : sum + part;
        }
        Tensor both = sum!.matmul(Next().t()) + Next().index_select(0, frames.Numbers), energies = both.select(1, 0), charges = both.select(1, 1);
        if (s.Repulsion)
        {
            Tensor inverseLength = nn.functional.softplus(Next()), power = nn.functional.softplus(Next());
            Tensor c = nn.functional.softplus(cat([Next(), Next(), Next(), Next()], 0)), a = nn.functional.softplus(cat([Next(), Next(), Next(), Next()], 0));
            Tensor pairs = ZblPair.Apply(d, envelope, frames.Numbers.to(c.dtype).unsqueeze(1), nearSenders, nearReceivers, power, inverseLength, c / c.sum(), a);
            energies = energies.index_add(0, nearReceivers, pairs.squeeze(1), 1);
        }
        if (s.Electrostatics)
        {
            Tensor counts = tensor(frames.AtomsPerFrame.Select(n => Math.Max(1.0, n)).ToArray(), dtype: charges.dtype, device: charges.device), total = totals.to(charges.dtype);
            charges = charges + ((total - zeros_like(total).index_add(0, frames.FrameOfAtom, charges, 1)) / counts).index_select(0, frames.FrameOfAtom);
            Tensor products = charges.index_select(0, receivers) * charges.index_select(0, senders);
            (double on, double off) = s.Switch;
            Tensor pairs = ShieldedCoulomb.Apply(distances, products.unsqueeze(1), on, off, s.ElectrostaticCutoff);
            energies = energies.index_add(0, receivers, pairs.squeeze(1), 1);
        }
        return energies.MoveToOuterDisposeScope();

        Tensor Next() => weights.Dequeue();

        Tensor Swish(Tensor y) => Next() * y * (Next() * y).sigmoid();

        Tensor Residual(Tensor y, bool bias = true)
        {
            Tensor inner = nn.functional.linear(Swish(y), Next(), bias ? Next() : null);
            return y + nn.functional.linear(Swish(inner), Next(), bias ? Next() : null);
        }

        Tensor Perceptron(Tensor y, bool bias = true)
        {
            Tensor inner = Swish(Residual(y, bias));
            return nn.functional.linear(inner, Next(), bias ? Next() : null);
        }

        Tensor Electronic(Tensor elements, Tensor amounts)
        {
            Tensor e = amounts.to(elements.dtype), query = nn.functional.linear(elements, Next(), Next());
            Tensor key = (e / e.clamp(min: 1)).matmul(Next().t()), value = e.matmul(Next().t());
            Tensor shares = nn.functional.softplus((query * key.index_select(0, frames.FrameOfAtom)).sum(1) / Math.Sqrt(s.Features));
            Tensor all = zeros(amounts.shape[0], dtype: shares.dtype, device: shares.device).index_add(0, frames.FrameOfAtom, shares, 1) + 1e-8;
            return Perceptron((shares / all.index_select(0, frames.FrameOfAtom)).unsqueeze(1) * value.index_select(0, frames.FrameOfAtom), bias: false);
        }
    }

    private static Tensor Invariant(Tensor components, Tensor projection)
    {
        Tensor[] projected = nn.functional.linear(components, projection).chunk(2, 2);
        return (projected[0] * projected[1]).sum(1);
    }

    /// <summary>(n, 9): orders 0, 1, 2, each of norm 1.</summary>
    private static Tensor Harmonics(Tensor u)
    {
        Tensor x = u.select(1, 0), y = u.select(1, 1), z = u.select(1, 2);
        double root = Math.Sqrt(3);
        return stack([ones_like(x), x, y, z, x * y * root, y * z * root, (z * z * 3 - 1) / 2, x * z * root, (x * x - y * y) * (root / 2)], 1);
    }
}
