namespace ChemScale.Engine.Chemistry.Selfies;

/// <summary>Splits a SELFIES string, of either grammar, into its symbols: <c>[..]</c> and the dot between fragments.</summary>
public static class SelfiesSymbols
{
    /// <summary>Usable in <c>foreach</c> without allocation. Stops at the first place that is neither a closed bracket nor a dot.</summary>
    public static Enumerator Enumerate(ReadOnlySpan<char> selfies) => new(selfies);

    /// <summary>Walks the symbols; each is a slice of the string, brackets included.</summary>
    public ref struct Enumerator(ReadOnlySpan<char> selfies)
    {
        /// <summary>What is not read yet; after the walk, the malformed tail, empty where the string is sound.</summary>
        public ReadOnlySpan<char> Remainder { get; private set; } = selfies;

        public ReadOnlySpan<char> Current { get; private set; }

        public readonly Enumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            ReadOnlySpan<char> rest = Remainder;
            if (rest.IsEmpty) return false;
            int length = rest[0] switch { '.' => 1, '[' => rest.IndexOf(']') + 1, _ => 0 };
            Current = rest[..length];
            Remainder = rest[length..];
            return length > 0;
        }
    }
}
