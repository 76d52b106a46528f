using System.Globalization;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;

namespace ChemScale.Engine.Simulation;

/// <summary>One frame of a file, for its geometry and how it moves. Labels, and the unit they are in, do not matter.</summary>
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

    /// <summary>(atoms) Which atoms are meant.</summary>
    /// <param name="selection">Numbers from 0, ranges with both ends, symbols of elements, with commas between: <c>0-3,7,Pt</c>.</param>
    /// <param name="frame">Theirs.</param>
    /// <exception cref="InputException">Something else, or no such atom.</exception>
    public static bool[] Select(string selection, Frame frame)
    {
        bool[] chosen = new bool[frame.Atoms];
        foreach (string part in selection.Split(',', StringSplitOptions.TrimEntries))
        {
            string[] ends = part.Split('-');
            bool found = false;
            if (ends.Length <= 2 && ends.All(end => int.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
            {
                int first = int.Parse(ends[0], CultureInfo.InvariantCulture), last = int.Parse(ends[^1], CultureInfo.InvariantCulture);
                found = first <= last && last < frame.Atoms;
                if (found) chosen.AsSpan(first..(last + 1)).Fill(true);
            }
            else if (part.Length > 0 && char.IsAsciiLetterUpper(part[0]))
            {
                int element = Elements.Number(part, "fix");
                for (int i = 0; i < chosen.Length; i++)
                    if (frame.AtomicNumbers[i] == element) found = chosen[i] = true;
            }
            if (!found)
                throw new InputException("fix", $"'{part}'", $"atoms of {frame.Place}: numbers from 0 to {frame.Atoms - 1}, ranges such as 0-3, or symbols, with commas between");
        }
        return chosen;
    }

    /// <exception cref="InputException">The file fixes something in a way that is not read.</exception>
    public static void RequireKnownMask(Frame start)
    {
        if (start.UnknownMotion is "move_mask" or "constraints" && start.Fixed is null)
        {
            throw new InputException(start.Place, $"'{start.UnknownMotion}' of a kind that is not read", "move_mask with one truth value an atom",
                "say with `fix` which atoms stay where they are");
        }
    }

    private static (string Path, int Index) Split(string selection)
    {
        int at = selection.LastIndexOf('@');
        if (at < 0 || File.Exists(selection)) return (selection, 0);
        return int.TryParse(selection.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int index)
            ? (selection[..at], index) : (selection, 0);
    }
}
