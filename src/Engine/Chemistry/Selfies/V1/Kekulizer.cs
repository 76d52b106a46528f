namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>
/// Gives the aromatic atoms of a fragment alternating double bonds. Which of the Kekule structures comes out depends on the order of
/// choices, so the search keeps the reference's: depth first, atoms with at most one candidate bond before the others, bonds in the
/// order of the graph, and going back only to the nearest choice that encloses the failure, not to every choice made before it.
/// </summary>
internal sealed class Kekulizer
{
    /// <summary>The search can take exponential time; the reference would take hours for what this cuts off.</summary>
    private const int MaximumSteps = 20_000_000;

    private readonly BondGraph graph = new();
    private bool[] pairs = new bool[128];
    private bool[] visited = new bool[128];
    private bool[] matched = new bool[128];
    private bool[] doubled = new bool[128];
    private int[] starts = new int[129]; // atom -> its slice of incident
    private int[] incident = new int[256];
    private int[] visitedTrail = new int[128];
    private int[] matchedTrail = new int[128];
    private int visitedCount;
    private int matchedCount;
    private int steps;
    private bool exhausted;

    /// <summary>Null, or why the fragment is refused; the new bonds and capitals are written into the tokens.</summary>
    public string? Kekulize(ReadOnlySpan<char> fragment, Span<SmilesToken> tokens)
    {
        string? refusal = graph.Read(fragment, tokens);
        if (refusal is not null || !graph.HasAromaticAtoms) return refusal;
        refusal = SelectPairing(fragment, tokens);
        if (refusal is not null) return refusal;
        SelectBonds();
        if (!Match()) return exhausted ? Refusals.Depth : Refusals.Kekulization;
        Write(tokens);
        return null;
    }

    private string? SelectPairing(ReadOnlySpan<char> fragment, Span<SmilesToken> tokens)
    {
        ReadOnlySpan<GraphAtom> atoms = graph.Atoms;
        if (atoms.Length > pairs.Length) GrowAtoms(Math.Max(2 * pairs.Length, atoms.Length));
        for (int i = 0; i < atoms.Length; i++)
        {
            pairs[i] = false;
            if (!atoms[i].Aromatic) continue;
            ref readonly SmilesToken token = ref tokens[atoms[i].Token];
            string? refusal = AromaticElement.Pairs(fragment.Slice(token.Start, token.Length), atoms[i], out pairs[i]);
            if (refusal is not null) return refusal;
        }
        return null;
    }

    private bool IsCandidate(in GraphBond bond) => bond.Symbol == '\0' && pairs[bond.A] && pairs[bond.B];

    /// <summary>Lists, for each pairing atom, its bonds without a symbol to other pairing atoms, in the order of the graph.</summary>
    private void SelectBonds()
    {
        ReadOnlySpan<GraphBond> bonds = graph.Bonds;
        int atoms = graph.Atoms.Length;
        if (2 * bonds.Length > incident.Length)
        {
            incident = new int[4 * bonds.Length];
            doubled = new bool[2 * bonds.Length];
        }
        Span<int> ends = starts.AsSpan(0, atoms + 1);
        ends.Clear();
        foreach (ref readonly GraphBond bond in bonds)
        {
            if (!IsCandidate(bond)) continue;
            ends[bond.A]++;
            ends[bond.B]++;
        }
        int total = 0;
        for (int i = 0; i <= atoms; i++) total = ends[i] += total;
        for (int i = bonds.Length - 1; i >= 0; i--)
        {
            doubled[i] = false;
            if (!IsCandidate(bonds[i])) continue;
            incident[--ends[bonds[i].B]] = i;
            incident[--ends[bonds[i].A]] = i;
        }
    }

    private bool Match()
    {
        int atoms = graph.Atoms.Length;
        Array.Clear(visited, 0, atoms);
        Array.Clear(matched, 0, atoms);
        steps = visitedCount = matchedCount = 0;
        exhausted = false;
        for (int pass = 0; pass < 2; pass++)
        {
            for (int i = 0; i < atoms; i++)
            {
                bool branching = starts[i + 1] - starts[i] > 1;
                if (pairs[i] && branching == (pass == 1) && !Visit(i, 0)) return false;
            }
        }
        return true;
    }

    private bool Visit(int atom, int depth)
    {
        if (visited[atom]) return true;
        if (depth > Refusals.MaximumDepth || ++steps > MaximumSteps) exhausted = true;
        if (exhausted) return false;
        return matched[atom] ? VisitNeighbours(atom, depth) : Pair(atom, depth);
    }

    private bool VisitNeighbours(int atom, int depth)
    {
        int save = visitedCount;
        visited[atom] = true;
        visitedTrail[visitedCount++] = atom;
        for (int k = starts[atom]; k < starts[atom + 1]; k++)
        {
            if (Visit(graph.Bonds[incident[k]].Other(atom), depth + 1)) continue;
            while (visitedCount > save) visited[visitedTrail[--visitedCount]] = false;
            return false;
        }
        return true;
    }

    private bool Pair(int atom, int depth)
    {
        int save = matchedCount;
        for (int k = starts[atom]; k < starts[atom + 1]; k++)
        {
            int index = incident[k];
            int other = graph.Bonds[index].Other(atom);
            if (matched[other]) continue;
            matched[atom] = matched[other] = doubled[index] = true;
            matchedTrail[matchedCount++] = index;
            if (Visit(atom, depth + 1)) return true;
            while (matchedCount > save)
            {
                int undone = matchedTrail[--matchedCount];
                GraphBond bond = graph.Bonds[undone];
                matched[bond.A] = matched[bond.B] = doubled[undone] = false;
            }
        }
        return false;
    }

    private void Write(Span<SmilesToken> tokens)
    {
        foreach (ref readonly GraphAtom atom in graph.Atoms) tokens[atom.Token].Capitalized = atom.Aromatic;
        ReadOnlySpan<GraphBond> bonds = graph.Bonds;
        for (int i = 0; i < bonds.Length; i++)
        {
            if (!IsCandidate(bonds[i])) continue;
            int token = bonds[i].Token;
            tokens[token].Bond = doubled[i] ? '=' : '\0';

            // A parenthesis has taken the character after it for its bond.
            if (token > 0 && tokens[token - 1].Kind is TokenKind.BranchOpen or TokenKind.BranchClose)
                tokens[token - 1].Bond = tokens[token].Bond;
        }
    }

    private void GrowAtoms(int size)
    {
        pairs = new bool[size];
        visited = new bool[size];
        matched = new bool[size];
        starts = new int[size + 1];
        visitedTrail = new int[size];
        matchedTrail = new int[size];
    }
}
