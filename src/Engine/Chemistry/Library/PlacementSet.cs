namespace ChemScale.Engine.Chemistry.Library;

/// <summary>Placements on one ring system that take the same fillings, so that they can be counted and numbered together.</summary>
internal sealed record PlacementSet(Filling[] Fillings, string[] Patterns)
{
    /// <inheritdoc cref="Placement.Enumerate"/>
    public static IEnumerable<PlacementSet> Of(RingSkeleton ring, Sites attachedBy, int arms, int groups) =>
        Placement.Enumerate(ring, attachedBy, arms, groups)
            .GroupBy(p => string.Concat(p.Fillings.Select(f => (char)f.Key)))
            .Select(g => new PlacementSet(g.First().Fillings, [.. g.Select(p => p.Pattern)]));
}
