using System.Runtime.InteropServices;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Store;

/// <summary>Writes the files of one side, frame after frame.</summary>
internal sealed class FrameSplitWriter : IDisposable
{
    private readonly StoreDraft _draft;
    private readonly ChecksummedFile _records;
    private readonly ChecksummedFile _offsets;
    private readonly ChecksummedFile _elements;
    private readonly ChecksummedFile _positions;
    private readonly ChecksummedFile _forces;
    private long _frames;
    private long _atoms;
    private int _largest;

    public FrameSplitWriter(StoreDraft draft, string split)
    {
        _draft = draft;
        _records = draft.Data(FrameStoreLayout.Records(split));
        _offsets = draft.Data(FrameStoreLayout.Offsets(split));
        _elements = draft.Data(FrameStoreLayout.Elements(split));
        _positions = draft.Data(FrameStoreLayout.Positions(split));
        _forces = draft.Data(FrameStoreLayout.Forces(split));
        _offsets.Write<long>([0]);
    }

    public void Add(Frame frame, int configType)
    {
        _records.Write<FrameRecord>([FrameRecord.Of(frame, configType)]);
        _elements.Write<byte>([.. frame.AtomicNumbers.Select(number => (byte)number)]);
        _positions.Write<double>(frame.Positions);
        _forces.Write<double>(frame.HasForces ? frame.Forces : [.. Enumerable.Repeat(double.NaN, 3 * frame.Atoms)]);
        _frames++;
        _atoms += frame.Atoms;
        _largest = Math.Max(_largest, frame.Atoms);
        _offsets.Write<long>([_atoms]);
    }

    public FrameCounts Complete()
    {
        foreach (ChecksummedFile file in (ChecksummedFile[])[_records, _offsets, _elements, _positions, _forces])
            _draft.Add(file.Complete());
        return new FrameCounts(_frames, _atoms, _largest);
    }

    public void Dispose()
    {
        _records.Dispose();
        _offsets.Dispose();
        _elements.Dispose();
        _positions.Dispose();
        _forces.Dispose();
    }
}
