using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Store;

/// <summary>Writes the files of one side, frame after frame.</summary>
internal sealed class FrameSplitWriter : IDisposable
{
    private readonly StoreDraft draft;
    private readonly ChecksummedFile records;
    private readonly ChecksummedFile offsets;
    private readonly ChecksummedFile elements;
    private readonly ChecksummedFile positions;
    private readonly ChecksummedFile forces;
    private long frames;
    private long atoms;
    private int largest;

    public FrameSplitWriter(StoreDraft draft, string split)
    {
        this.draft = draft;
        records = draft.Data(FrameStoreLayout.Records(split));
        offsets = draft.Data(FrameStoreLayout.Offsets(split));
        elements = draft.Data(FrameStoreLayout.Elements(split));
        positions = draft.Data(FrameStoreLayout.Positions(split));
        forces = draft.Data(FrameStoreLayout.Forces(split));
        offsets.Write<long>([0]);
    }

    public void Add(Frame frame, int configType)
    {
        records.Write<FrameRecord>([FrameRecord.Of(frame, configType)]);
        elements.Write<byte>([.. frame.AtomicNumbers.Select(number => (byte)number)]);
        positions.Write<double>(frame.Positions);
        forces.Write<double>(frame.HasForces ? frame.Forces : [.. Enumerable.Repeat(double.NaN, 3 * frame.Atoms)]);
        frames++;
        atoms += frame.Atoms;
        largest = Math.Max(largest, frame.Atoms);
        offsets.Write<long>([atoms]);
    }

    public FrameCounts Complete()
    {
        foreach (ChecksummedFile file in (ChecksummedFile[])[records, offsets, elements, positions, forces])
            draft.Add(file.Complete());
        return new FrameCounts(frames, atoms, largest);
    }

    public void Dispose()
    {
        records.Dispose();
        offsets.Dispose();
        elements.Dispose();
        positions.Dispose();
        forces.Dispose();
    }
}
