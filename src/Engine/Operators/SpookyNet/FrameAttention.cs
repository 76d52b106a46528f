using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>
/// Attention among all atoms of a frame at a cost linear in their number, by positive random features (Choromanski et al. 2021; as used by
/// Unke et al. 2021): o_i = sum_j (phi(q_i) . phi'(k_j)) v_j / sum_j phi(q_i) . phi'(k_j), where phi(x) = (exp(u - |x|^2 / (2 sqrt F) - M)
/// + 1e-4) / sqrt m, u = x omega / F^(1/4). M keeps the exponential in range: the greatest u of the row for queries, of the frame for
/// keys. Zero is always among a frame's, so that it does not matter what else is in the batch.
/// </summary>
public static class FrameAttention
{
    private const double FeatureFloor = 1e-4, SumFloor = 1e-8;

    /// <param name="queries">(atoms, F)</param>
    /// <param name="keys">(atoms, F)</param>
    /// <param name="values">(atoms, F)</param>
    /// <param name="omega">(F, m) random directions</param>
    /// <param name="frameOfAtom">(atoms) int64</param>
    /// <param name="slots">The same frames.</param>
    /// <returns>(atoms, F)</returns>
    public static Tensor Apply(Tensor queries, Tensor keys, Tensor values, Tensor omega, Tensor frameOfAtom, FrameSlots slots)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor uq = Project(queries, omega), uk = Project(keys, omega);
        Tensor q = Features(queries, uq, uq.amax([1], keepdim: true));
        Tensor k = Features(keys, uk, FrameMaximum(uk, frameOfAtom, slots).index_select(0, frameOfAtom).unsqueeze(1));
        // A column of ones sums the weights beside the values.
        Tensor augmented = cat([values, ones([values.shape[0], 1], dtype: values.dtype, device: values.device)], 1);
        Tensor sums = slots.Unpad(slots.Pad(q).bmm(slots.Pad(k).transpose(1, 2).bmm(slots.Pad(augmented))));
        long f = values.shape[1];
        return (sums.narrow(1, 0, f) / (sums.narrow(1, f, 1) + SumFloor)).MoveToOuterDisposeScope();
    }

    private static Tensor Project(Tensor x, Tensor omega) => x.matmul(omega) * Math.Pow(x.shape[1], -0.25);

    private static Tensor Features(Tensor x, Tensor u, Tensor maximum)
    {
        Tensor half = (x * x).sum(1, keepdim: true) * (0.5 / Math.Sqrt(x.shape[1]));
        return (Underflow.Exp(u - half - maximum) + FeatureFloor) / Math.Sqrt(u.shape[1]);
    }

    /// <summary>(frames) The greatest value of each frame, or zero. Entries that share it share its gradient, so that equal atoms stay equal.</summary>
    private static Tensor FrameMaximum(Tensor u, Tensor frameOfAtom, FrameSlots slots)
    {
        Tensor share;
        using (no_grad())
        {
            Tensor greatest = slots.Pad(u.amax([1], keepdim: true)).amax([1, 2]).clamp(min: 0);
            Tensor attains = u.eq(greatest.index_select(0, frameOfAtom).unsqueeze(1)).to(u.dtype);
            Tensor count = FrameSum(attains.sum(1), frameOfAtom, slots).clamp(min: 1);
            share = attains / count.index_select(0, frameOfAtom).unsqueeze(1);
        }
        return FrameSum((u * share).sum(1), frameOfAtom, slots);
    }

    private static Tensor FrameSum(Tensor perAtom, Tensor frameOfAtom, FrameSlots slots) =>
        zeros(slots.Frames, dtype: perAtom.dtype, device: perAtom.device).index_add(0, frameOfAtom, perAtom, 1);
}
