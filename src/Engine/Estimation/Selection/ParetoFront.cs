namespace ChemScale.Engine.Estimation.Selection;

/// <summary>What no other beats in both of two costs, such as seconds per epoch and predicted final loss.</summary>
internal static class ParetoFront
{
    /// <summary>Indices on the front, the first cost ascending; pairs with a number that is not finite are left out, of equal pairs the first stands.</summary>
    public static IReadOnlyList<int> Of(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        var front = new List<int>();
        double least = double.PositiveInfinity;
        foreach (int i in Enumerable.Range(0, first.Count).Where(i => double.IsFinite(first[i]) && double.IsFinite(second[i]))
            .OrderBy(i => first[i]).ThenBy(i => second[i]))
        {
            if (second[i] >= least) continue;
            least = second[i];
            front.Add(i);
        }
        return front;
    }
}
