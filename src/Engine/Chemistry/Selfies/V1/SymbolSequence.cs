namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>The symbols of one fragment (no dots), as indices into the table, without padding.</summary>
internal sealed class SymbolSequence
{
    private int[] indices = new int[256];
    private int count;

    public SymbolTable Table { get; } = new();

    public ReadOnlySpan<int> Indices => indices.AsSpan(0, count);

    /// <summary>After the last symbol comes text that is not one; an error only for who reads that far.</summary>
    public bool EndsMalformed { get; private set; }

    /// <summary>Text before the first bracket is skipped.</summary>
    public void Read(ReadOnlySpan<char> fragment)
    {
        count = 0;
        EndsMalformed = false;
        int start = fragment.IndexOf('[');
        if (start < 0) return;
        while (start < fragment.Length)
        {
            uint hash = '[';
            int end = start + 1;
            char c = '\0';
            while (end < fragment.Length)
            {
                c = fragment[end++];
                hash = SymbolTable.Extend(hash, c);
                if (c == ']') break;
            }
            EndsMalformed = fragment[start] != '[' || c != ']';
            if (EndsMalformed) return;
            int index = Table.Find(fragment[start..end], hash);
            start = end;
            if (Table.Symbols[index].Kind == SymbolKind.Nop) continue;
            if (count == indices.Length) Array.Resize(ref indices, 2 * count);
            indices[count++] = index;
        }
    }
}
