namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>
/// SELFIES 2.1 or 2.2 to SMILES: derive a tree of atoms, make the rings that still find room, then write. There is no limit
/// on the depth of branches or the length of chains.
/// </summary>
internal sealed class SelfiesV2Decoder(BondConstraints constraints)
{
    private const int Exhausted = -1; // no further symbol can be derived

    private readonly SymbolTable table = new(constraints);
    private readonly DerivedTree tree = new();
    private readonly TextBuffer text = new();
    private int[] symbols = new int[256];
    private int symbolCount;
    private Level[] levels = new Level[16];

    /// <summary>The SMILES of the last success.</summary>
    public ReadOnlySpan<char> Text => text.Text;

    /// <summary>Null, or the reason of the refusal.</summary>
    public string? Decode(ReadOnlySpan<char> selfies)
    {
        text.Clear();
        tree.Clear();
        table.Trim();
        while (true)
        {
            int dot = selfies.IndexOf('.');
            if (!TrySplit(dot < 0 ? selfies : selfies[..dot])) return "unclosed bracket";
            if (!TryDerive()) return "symbol not in the grammar";
            if (dot < 0) break;
            selfies = selfies[(dot + 1)..];
        }
        tree.FormRings();
        tree.Write(table, text);
        return null;
    }

    // What stands before the first bracket is passed over; after that, whatever stands between two symbols belongs to the second.
    private bool TrySplit(ReadOnlySpan<char> fragment)
    {
        symbolCount = 0;
        int start = fragment.IndexOf('[');
        if (start < 0) return true;
        while (start < fragment.Length)
        {
            uint hash = fragment[start];
            int end = start + 1;
            for (; end < fragment.Length; end++)
            {
                char c = fragment[end];
                hash = hash * 31 + c;
                if (c == ']') break;
            }
            if (end == fragment.Length) return false;
            int symbol = table.Find(fragment.Slice(start, end + 1 - start), hash);
            start = end + 1;
            if (table.Symbols[symbol].Kind == SymbolKind.NoOperation) continue;
            if (symbolCount == symbols.Length) Array.Resize(ref symbols, 2 * symbolCount);
            symbols[symbolCount++] = symbol;
        }
        return true;
    }

    private bool TryDerive()
    {
        Symbol[] known = table.Symbols;
        int at = 0;
        int depth = 0;
        int derived = 0;
        int limit = int.MaxValue;
        int state = 0;
        int previous = -1;
        while (true)
        {
            while (state != Exhausted && derived < limit && at < symbolCount)
            {
                int index = symbols[at++];
                ref Symbol symbol = ref known[index];
                derived++;
                switch (symbol.Kind)
                {
                    case SymbolKind.Atom:
                        int order = Math.Min(Math.Min(state == 0 ? 0 : symbol.Order, state), symbol.Capacity);
                        if (state == 0) previous = tree.AddRoot(index, symbol);
                        else if (order > 0) previous = tree.AddAtom(index, symbol, previous, order);
                        state = Left(symbol.Capacity - order);
                        break;

                    case SymbolKind.Branch when state > 1:
                        int first = Math.Min(state - 1, symbol.Order);
                        if (depth == levels.Length) Array.Resize(ref levels, 2 * depth);
                        levels[depth++] = new Level(derived + symbol.Digits, limit, state - first, previous);
                        limit = ReadIndex(symbol.Digits, ref at) + 1;
                        derived = 0;
                        state = first;
                        break;

                    case SymbolKind.Ring when state > 0:
                        int ringOrder = Math.Min((int)symbol.Order, state);
                        int distance = ReadIndex(symbol.Digits, ref at) + 1;
                        derived += symbol.Digits;
                        tree.AddRing(Math.Max(0, previous - distance), previous, ringOrder, symbol.LeftStereo, symbol.RightStereo);
                        state = Left(state - ringOrder);
                        break;

                    case SymbolKind.Epsilon when state > 0:
                        state = Exhausted;
                        break;

                    case SymbolKind.Unknown:
                        return false;
                }
            }

            // The rest of an exhausted branch is passed over.
            if (depth == 0) return true;
            if (derived < limit)
            {
                int rest = Math.Min(limit - derived, symbolCount - at);
                at += rest;
                derived += rest;
            }
            Level level = levels[--depth];
            derived += level.Derived;
            limit = level.Limit;
            state = level.State;
            previous = level.Previous;
        }
    }

    private static int Left(int bonds) => bonds == 0 ? Exhausted : bonds;

    private int ReadIndex(int digits, ref int at)
    {
        int number = 0;
        for (; digits > 0; digits--)
        {
            number <<= 4;
            if (at < symbolCount) number += table.Symbols[symbols[at++]].IndexValue;
        }
        return number;
    }

    /// <summary>A branch symbol's surroundings, to return to when the branch ends.</summary>
    private readonly record struct Level(int Derived, int Limit, int State, int Previous);
}
