namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>
/// The derivation of grammar 1.0.4: the state is the number of bonds the last atom can still make; 0 before the first atom, below 0
/// where the derivation ends.
/// </summary>
internal sealed class SelfiesV1Decoder(BondConstraints constraints)
{
    private const int Ended = -1;

    private readonly SymbolSequence sequence = new(constraints);
    private readonly RingBonds rings = new();
    private readonly TextBuffer text = new();
    private DerivedAtom[] atoms = new DerivedAtom[256];
    private int atomCount;

    /// <summary>The SMILES of the last call that was not refused.</summary>
    public ReadOnlySpan<char> Text => text.Text;

    /// <summary>Null, or why the SELFIES is refused. Fragments without atoms are left out.</summary>
    public string? Decode(ReadOnlySpan<char> selfies)
    {
        text.Clear();
        sequence.Table.Trim();
        while (true)
        {
            int dot = selfies.IndexOf('.');
            string? refusal = DecodeFragment(dot < 0 ? selfies : selfies[..dot]);
            if (refusal is not null || dot < 0) return refusal;
            selfies = selfies[(dot + 1)..];
        }
    }

    private string? DecodeFragment(ReadOnlySpan<char> fragment)
    {
        sequence.Read(fragment);
        rings.Clear();
        atomCount = 0;
        string? refusal = Derive(0, sequence.Indices.Length, 0, DerivedAtom.None, 0);
        if (refusal is not null || atomCount == 0) return refusal;
        Span<DerivedAtom> derived = atoms.AsSpan(0, atomCount);
        rings.Form(derived, sequence.Table.Texts);
        if (text.Length > 0) text.Append('.');
        Write(derived);
        return null;
    }

    /// <summary>Derives symbols <paramref name="position"/> to <paramref name="end"/>, or until the state ends it.</summary>
    private string? Derive(int position, int end, int state, int previous, int depth)
    {
        if (depth > Refusals.MaximumDepth) return Refusals.Depth;
        ReadOnlySpan<int> indices = sequence.Indices;
        ReadOnlySpan<Symbol> symbols = sequence.Table.Symbols;
        bool malformed = depth == 0 && sequence.EndsMalformed;
        while (true)
        {
            if (position == end) return malformed ? Refusals.Brackets : null;
            if (state < 0) return null;
            ref readonly Symbol symbol = ref symbols[indices[position++]];
            switch (symbol.Kind)
            {
                case SymbolKind.Atom:
                    if (symbol.Capacity == 0 && state > 0) return Refusals.Hydrogens;
                    state = AddAtom(symbol, state, previous);
                    previous = atomCount - 1;
                    break;

                case SymbolKind.Branch:
                    if (state <= 1) break;
                    if (symbol.Digits == Symbol.NoDigit) return Refusals.Symbol;
                    long length = ReadNumber(ref position, end, symbol.Digits) + 1;
                    if (length > end - position && malformed) return Refusals.Brackets;
                    int branchEnd = (int)Math.Min(end, position + length);
                    int branchState = Math.Min(state - 1, symbol.BranchOrder);
                    int first = atomCount;
                    string? refusal = Derive(position, branchEnd, branchState, previous, depth + 1);
                    if (refusal is not null) return refusal;
                    CloseBranch(first);
                    state -= branchState;
                    position = branchEnd;
                    break;

                case SymbolKind.Ring:
                    if (state == 0) break;
                    if (symbol.Digits == Symbol.NoDigit) return Refusals.Symbol;
                    int right = previous;
                    long left = right - ReadNumber(ref position, end, symbol.Digits) - 1;
                    rings.Request((int)Math.Max(0, left), right, symbol.Bond);
                    break;

                case SymbolKind.Epsilon:
                    if (state > 0) state = Ended;
                    break;

                default:
                    return Refusals.Symbol;
            }
        }
    }

    /// <summary>Reads a number in base 16, most significant digit first; digits that are missing at the end are 0.</summary>
    private long ReadNumber(ref int position, int end, int digits)
    {
        long number = 0;
        for (int i = 0; i < digits; i++)
        {
            number <<= 4;
            if (position < end) number += sequence.Table.Symbols[sequence.Indices[position++]].Digit;
        }
        return number;
    }

    /// <returns>The next state.</returns>
    private int AddAtom(in Symbol symbol, int state, int previous)
    {
        char bond = '\0';
        int next = symbol.Capacity;
        if (state > 0)
        {
            bond = symbol.Bond;
            int order = BondOrder.Of(bond);
            int most = Math.Min(state, symbol.Capacity);
            if (order > most)
            {
                order = most;
                bond = BondOrder.Symbol(order);
            }
            next -= order;
            if (next == 0) next = Ended;
        }
        if (previous >= 0)
        {
            // An atom's text may itself begin with a bond symbol, as in [-C] and [==C].
            atoms[previous].Free -= BondOrder.Of(bond != '\0' ? bond : sequence.Table.Texts[symbol.TextStart]);
        }
        if (atomCount == atoms.Length) Array.Resize(ref atoms, 2 * atomCount);
        atoms[atomCount++] = new DerivedAtom
        {
            TextStart = symbol.TextStart,
            TextLength = symbol.TextLength,
            Previous = previous,
            Free = next,
            BranchEnd = DerivedAtom.None,
            FirstRingEnd = DerivedAtom.None,
            Bond = bond,
        };
        return next;
    }

    /// <summary>Puts the atoms from <paramref name="first"/> on into a branch, after the branches that opened at the same atom.</summary>
    private void CloseBranch(int first)
    {
        while (first < atomCount && atoms[first].BranchEnd != DerivedAtom.None) first = atoms[first].BranchEnd + 1;
        if (first >= atomCount) return;
        atoms[first].BranchEnd = atomCount - 1;
        atoms[atomCount - 1].BranchesClosed++;
    }

    private void Write(ReadOnlySpan<DerivedAtom> derived)
    {
        ReadOnlySpan<char> texts = sequence.Table.Texts;
        foreach (ref readonly DerivedAtom atom in derived)
        {
            if (atom.BranchEnd != DerivedAtom.None) text.Append('(');
            if (atom.Bond != '\0') text.Append(atom.Bond);
            text.Append(texts.Slice(atom.TextStart, atom.TextLength));
            if (atom.FirstRingEnd != DerivedAtom.None) rings.Write(atom, text);
            for (int i = 0; i < atom.BranchesClosed; i++) text.Append(')');
        }
    }
}

/// <summary>The symbols of one fragment (no dots), as indices into the table, without padding.</summary>
internal sealed class SymbolSequence(BondConstraints constraints)
{
    private int[] indices = new int[256];
    private int count;

    public SymbolTable Table { get; } = new(constraints);

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
