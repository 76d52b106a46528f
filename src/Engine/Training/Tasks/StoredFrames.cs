using System.Collections;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Store;

namespace ChemScale.Engine.Training.Tasks;

/// <summary>One side of a frame store as a list, read as it is used.</summary>
internal sealed class StoredFrames(FrameSplit split) : IReadOnlyList<Frame>
{
    public int Count { get; } = checked((int)split.Count);

    public Frame this[int index] => split[index];

    public IEnumerator<Frame> GetEnumerator() => split.Frames().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
