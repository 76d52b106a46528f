using System.Globalization;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;

namespace ChemScale.Engine.Simulation;

/// <summary>One frame of a file, for its geometry. Labels, and the unit they are in, do not matter.</summary>
internal static class StartFrame
{
    /// <param name="selection">FILE, or FILE@INDEX: frames count from 0, or with a minus sign from the end, -1 being the last.</param>
    /// <param name="length">Unit of positions and cell; null: the file's own, else Angstrom.</param>
    /// <exception cref="InputException">No such file or frame, or one that cannot be read.</exception>
    public static Frame Read(string selection, LengthUnit? length = null)
    {
        (string path, int index) = Split(selection);
        IEnumerable<Frame> frames = FrameFiles.Read(path, new FrameReadOptions { GeometryOnly = true, Length = length });
        long count = 0;
        var last = new Queue<Frame>();
        foreach (Frame frame in frames)
        {
            if (count++ == index) return frame;
            if (index >= 0) continue;
            last.Enqueue(frame);
            if (last.Count > -index) last.Dequeue();
        }
        if (count == 0) throw new InputException(path, "no frames", "at least one");
        return index < 0 && count >= -index ? last.Dequeue()
            : throw new InputException(path, $"{count} frame{(count == 1 ? "" : "s")}", $"one at index {index}, counted from 0");
    }

    private static (string Path, int Index) Split(string selection)
    {
        int at = selection.LastIndexOf('@');
        if (at < 0 || File.Exists(selection)) return (selection, 0);
        return int.TryParse(selection.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int index)
            ? (selection[..at], index) : (selection, 0);
    }
}
