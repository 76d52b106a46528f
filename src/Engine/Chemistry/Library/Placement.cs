namespace ChemScale.Engine.Chemistry.Library;

/// <summary>What stands in a slot: an arm (a chain and a ring, or a bond and a ring) or a small group, on one kind of ring atom.</summary>
internal readonly record struct Slot(bool IsArm, Sites Place);

/// <summary>
/// Slots that are filled alike. <see cref="IsPair"/>: two slots that the ring's symmetry exchanges, to be filled by an unordered pair.
/// </summary>
internal readonly record struct Filling(Slot Slot, bool IsPair) : IComparable<Filling>
{
    public int CompareTo(Filling other) => Key.CompareTo(other.Key);

    /// <summary>Arms first, then groups; a total order of all fillings.</summary>
    public int Key => ((Slot.IsArm ? 0 : 64) + (int)Slot.Place) * 2 + (IsPair ? 1 : 0);
}

/// <summary>
/// One way of placing slots on a ring system, with one representative for each class of placements that the ring's symmetry makes equal.
/// </summary>
/// <param name="Pattern">SMILES with slot characters, see <see cref="RingTraversal"/>.</param>
/// <param name="Fillings">What the slots take, in slot order.</param>
internal sealed record Placement(string Pattern, Filling[] Fillings)
{
    private const int Empty = 0;
    private const int Group = 1;
    private const int Arm = 2;
    private const int Attached = 3;

    /// <summary>
    /// Placements of <paramref name="arms"/> arms and <paramref name="groups"/> groups. Where a symmetry exchanges more than one pair of
    /// slots at once the placement is left out: its molecules could not be counted once.
    /// </summary>
    /// <param name="ring">The ring system.</param>
    /// <param name="attachedBy">The kind of atom by which the ring hangs on a chain; None for the heart of a molecule.</param>
    /// <param name="arms">Number of arms.</param>
    /// <param name="groups">Number of small groups.</param>
    public static IEnumerable<Placement> Enumerate(RingSkeleton ring, Sites attachedBy, int arms, int groups)
    {
        int[] labels = new int[ring.AtomCount];
        return Label(0, attachedBy == Sites.None ? 0 : 1, arms, groups).Select(Create).OfType<Placement>();

        IEnumerable<int[]> Label(int atom, int attached, int armsLeft, int groupsLeft)
        {
            if (atom == labels.Length)
            {
                if (attached + armsLeft + groupsLeft == 0) yield return labels;
                yield break;
            }

            for (int label = Empty; label <= Attached; label++)
            {
                if (label != Empty && ring.Places[atom] == Sites.None) continue;
                if (label == Attached && (attached == 0 || ring.Places[atom] != attachedBy)) continue;
                if ((label == Arm && armsLeft == 0) || (label == Group && groupsLeft == 0)) continue;
                labels[atom] = label;
                int a = label == Attached ? 1 : 0, b = label == Arm ? 1 : 0, c = label == Group ? 1 : 0;
                foreach (int[] complete in Label(atom + 1, attached - a, armsLeft - b, groupsLeft - c)) yield return complete;
                labels[atom] = Empty;
            }
        }

        Placement? Create(int[] complete) => FromLabels(ring, complete);
    }

    private static Placement? FromLabels(RingSkeleton ring, int[] labels)
    {
        HashSet<(int, int)> exchanges = [];
        foreach (int[] map in ring.Automorphisms)
        {
            int order = 0;
            for (int i = 0; i < labels.Length && order == 0; i++) order = labels[map[i]].CompareTo(labels[i]);
            if (order > 0) return null;
            if (order < 0) continue;
            int[] moved = [.. Enumerable.Range(0, labels.Length).Where(i => labels[i] != Empty && map[i] != i)];
            if (moved.Length == 0) continue;
            if (moved.Length != 2) return null;
            exchanges.Add((moved[0], moved[1]));
        }

        if (exchanges.Count > 1) return null;
        (int, int) pair = exchanges.FirstOrDefault((-1, -1));
        List<(Filling Filling, int First, int Second)> places = [];
        for (int atom = 0; atom < labels.Length; atom++)
        {
            if (labels[atom] is not (Group or Arm) || atom == pair.Item2) continue;
            bool isPair = atom == pair.Item1;
            places.Add((new Filling(new Slot(labels[atom] == Arm, ring.Places[atom]), isPair), atom, isPair ? pair.Item2 : -1));
        }

        int[] slotOf = [.. Enumerable.Repeat(-1, labels.Length)];
        int slot = 0;
        places = [.. places.OrderBy(p => p.Filling)];
        foreach ((Filling _, int first, int second) in places)
        {
            slotOf[first] = slot++;
            if (second >= 0) slotOf[second] = slot++;
        }

        // The best start closes the string with a group, so that few need brackets; a ring that hangs on a chain starts where it hangs.
        int attached = Array.IndexOf(labels, Attached);
        RingTraversal best = ring.Traversals.Where(t => attached < 0 || t.First == attached).MaxBy(t => t.Score(slotOf))!;
        return new Placement(best.Write(slotOf, attached), [.. places.Select(p => p.Filling)]);
    }
}

/// <summary>Placements on one ring system that take the same fillings, so that they can be counted and numbered together.</summary>
internal sealed record PlacementSet(Filling[] Fillings, string[] Patterns)
{
    /// <inheritdoc cref="Placement.Enumerate"/>
    public static IEnumerable<PlacementSet> Of(RingSkeleton ring, Sites attachedBy, int arms, int groups) =>
        Placement.Enumerate(ring, attachedBy, arms, groups)
            .GroupBy(p => string.Concat(p.Fillings.Select(f => (char)f.Key)))
            .Select(g => new PlacementSet(g.First().Fillings, [.. g.Select(p => p.Pattern)]));
}
