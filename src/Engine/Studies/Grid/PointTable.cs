using System.Globalization;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Grid;

/// <summary>The points of a grid as a CSV that <c>fit</c> and any other tool reads.</summary>
public static class PointTable
{
    public static void Write(string path, IReadOnlyList<GridPoint> points)
    {
        IEnumerable<string> lines = points.Select(p => string.Create(CultureInfo.InvariantCulture,
                $"{p.Name},{p.Parameters},{p.Documents},{p.Items},{p.ItemsSeen},{p.Compute:R},{p.Loss:R},{(p.StillFalling ? "yes" : "no")}"))
            .Prepend("name,parameters,documents,items,items_seen,compute,loss,still_falling");
        DiskStorage.Shared.WriteAtomically(path, string.Concat(lines.Select(line => line + "\n")));
    }
}
