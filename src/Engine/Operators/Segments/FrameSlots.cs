using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Segments;

/// <summary>
/// The atoms of a batch as a padded table (frames, longest, ...), for products within frames. Empty slots hold zeros. The index tensors
/// live until disposal.
/// </summary>
public sealed class FrameSlots : IDisposable
{
    private readonly Tensor? atomOfSlot;
    private readonly Tensor? slotOfAtom;

    /// <param name="atomsPerFrame">(frames)</param>
    /// <param name="device">null: the CPU.</param>
    public FrameSlots(IReadOnlyList<int> atomsPerFrame, Device? device = null)
    {
        Frames = atomsPerFrame.Count;
        Atoms = atomsPerFrame.Sum();
        Longest = atomsPerFrame.DefaultIfEmpty().Max();
        // Frames of one size fill the table: the padded form is then the plain one.
        if (atomsPerFrame.All(n => n == Longest)) return;
        var atoms = new long[Frames * Longest];
        var slots = new long[Atoms];
        Array.Fill(atoms, Atoms);
        for (int frame = 0, atom = 0; frame < Frames; frame++)
        {
            for (int i = 0; i < atomsPerFrame[frame]; i++, atom++)
            {
                slots[atom] = (long)frame * Longest + i;
                atoms[slots[atom]] = atom;
            }
        }
        atomOfSlot = tensor(atoms, device: device).DetachFromDisposeScope();
        slotOfAtom = tensor(slots, device: device).DetachFromDisposeScope();
    }

    public int Frames { get; }

    public int Atoms { get; }

    /// <summary>Atoms of the largest frame.</summary>
    public int Longest { get; }

    /// <param name="values">(atoms, n)</param>
    /// <returns>(frames, longest, n)</returns>
    public Tensor Pad(Tensor values)
    {
        long n = values.shape[1];
        if (atomOfSlot is null) return values.view(Frames, Longest, n);
        using DisposeScope scope = NewDisposeScope();
        Tensor empty = zeros([1, n], dtype: values.dtype, device: values.device);
        return cat([values, empty], 0).index_select(0, atomOfSlot).view(Frames, Longest, n).MoveToOuterDisposeScope();
    }

    /// <param name="padded">(frames, longest, n)</param>
    /// <returns>(atoms, n)</returns>
    public Tensor Unpad(Tensor padded)
    {
        long n = padded.shape[2];
        using DisposeScope scope = NewDisposeScope();
        Tensor flat = padded.reshape((long)Frames * Longest, n);
        return (slotOfAtom is null ? flat : flat.index_select(0, slotOfAtom)).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        atomOfSlot?.Dispose();
        slotOfAtom?.Dispose();
    }
}
