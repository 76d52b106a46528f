using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Preparation;

namespace ChemScale.Engine.Studies.Molecules;

/// <summary>Molecules that a model is to look at.</summary>
public sealed record MoleculeFiles
{
    /// <summary>.smi, .txt, .csv or .tsv, each possibly gzipped.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    public MoleculeKind Kind { get; init; } = MoleculeKind.Smiles;

    /// <summary>Column of a table; null: the one named smiles or selfies.</summary>
    public string? Column { get; init; }

    /// <summary>False: stereo marks of SMILES are stripped, as when a corpus is prepared.</summary>
    public bool KeepStereo { get; init; }

    public FragmentRule Fragments { get; init; } = FragmentRule.Largest;
}

/// <summary>A line of the input.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Text">The molecule as it was written.</param>
/// <param name="Ids">[CLS] and [SEP] included; empty where it was refused.</param>
/// <param name="Unknown">Symbols that are no token of the model's: unknown ones, and those it has only in pieces.</param>
/// <param name="Refusal">Why there are no ids; null where there are.</param>
internal sealed record InputMolecule(long Line, string Text, ushort[] Ids, int Unknown, string? Refusal);

/// <summary>Reads molecules in their order and turns them into a model's tokens, on all cores, some blocks at a time.</summary>
internal static class MoleculeInput
{
    /// <param name="files">What to read.</param>
    /// <param name="tokenizer">Of the model.</param>
    /// <param name="positions">Of the model: what is longer is refused.</param>
    /// <param name="stop">Ends the reading.</param>
    /// <exception cref="InputException">A file that cannot be read, or of another kind.</exception>
    public static IEnumerable<InputMolecule> Read(MoleculeFiles files, Tokenizer tokenizer, int positions, CancellationToken stop)
    {
        if (files.Files.Count == 0) throw new InputException("molecules", "not given", "a file of molecules");
        var options = new PreparationOptions
        {
            Files = files.Files,
            Kind = files.Kind,
            Column = files.Column,
            KeepStereo = files.KeepStereo,
            Fragments = files.Fragments,
            Output = "",
        };
        var reader = new FileReader(options);
        return Blocks();

        IEnumerable<InputMolecule> Blocks()
        {
            using FileReader own = reader;
            var whole = new bool[tokenizer.Vocabulary.Size];
            for (int id = 0; id < whole.Length; id++) whole[id] = tokenizer.IsSymbol(id);
            MoleculeBlock[] blocks = [.. Enumerable.Range(0, ProcessorBudget.Count).Select(_ => new MoleculeBlock())];
            Encoding[] encodings = [.. blocks.Select(_ => new Encoding(options, tokenizer, whole, positions))];
            while (true)
            {
                int filled = 0;
                for (; filled < blocks.Length; filled++)
                {
                    blocks[filled].Clear();
                    if (!own.Fill(blocks[filled])) break;
                }
                if (filled == 0) yield break;
                Parallel.For(0, filled, new ParallelOptions { CancellationToken = stop, MaxDegreeOfParallelism = blocks.Length }, i => encodings[i].Encode(own, blocks[i]));
                for (int i = 0; i < filled; i++)
                    foreach (InputMolecule molecule in encodings[i].Molecules) yield return molecule;
            }
        }
    }

    /// <summary>One block's molecules.</summary>
    private sealed class Encoding(PreparationOptions options, Tokenizer tokenizer, bool[] whole, int positions)
    {
        // As when a corpus is prepared: beyond any molecule, and a bound to what the chemistry is given.
        private const int MaximumCharacters = 10_000;

        // Written as the corpus was that the model is of.
        private readonly IMoleculeEncoder encoder = MoleculeEncoders.Create(options, tokenizer.Notation);
        private readonly List<InputMolecule> taken = [];

        /// <summary>In the order of the lines.</summary>
        public IReadOnlyList<InputMolecule> Molecules { get; private set; } = [];

        public void Encode(FileReader reader, MoleculeBlock block)
        {
            taken.Clear();
            reader.ForEach(block, (_, line, molecule) => taken.Add(Encode(line, molecule)));
            // Lines that hold no molecule were refused by the reader.
            Molecules = block.Refused.Count == 0 ? [.. taken]
                : [.. taken.Concat(block.Refused.Select(r => new InputMolecule(r.Line, r.Excerpt, [], 0, r.Reason))).OrderBy(m => m.Line)];
        }

        private InputMolecule Encode(long line, ReadOnlySpan<char> molecule)
        {
            string text = molecule.ToString();
            if (molecule.Length > MaximumCharacters) return Refused($"more than {MaximumCharacters} characters");
            if (!encoder.TryEncode(molecule, out ReadOnlySpan<char> written)) return Refused(encoder.Reason);
            if (written.Length == 0) return Refused("an empty molecule");
            var ids = new ushort[tokenizer.MaximumIds(written.Length)];
            int count = tokenizer.Encode(written, ids);
            if (count < 0) return Refused("more tokens than the truncation.max_length of the tokenizer file");
            if (count > positions) return Refused($"{count} tokens, more than the model's {positions} positions");
            return new InputMolecule(line, text, ids[..count], Unknown(written, ids.AsSpan(1, count - 2)), null);

            InputMolecule Refused(string reason) => new(line, text, [], 0, reason);
        }

        private int Unknown(ReadOnlySpan<char> written, ReadOnlySpan<ushort> ids)
        {
            bool all = true;
            foreach (ushort id in ids) all &= whole[id];
            if (all) return 0;
            int unknown = 0;
            for (int length; written.Length > 0; written = written[length..])
            {
                length = Notation.NextPiece(tokenizer.Representation, written);
                if (!tokenizer.Vocabulary.TryFind(written[..length], out ushort id) || !whole[id]) unknown++;
            }
            return unknown;
        }
    }
}

/// <summary>Molecules side by side, as many tokens as a pass over a model takes at once.</summary>
internal static class MoleculeBatches
{
    private const int Tokens = 4096;
    private const long MostNumbers = 1 << 24;

    /// <param name="molecules">In their order; refused ones among them.</param>
    /// <param name="width">Numbers that a pass makes for each token.</param>
    public static IEnumerable<List<InputMolecule>> Of(IEnumerable<InputMolecule> molecules, int width)
    {
        long most = Math.Clamp(MostNumbers / width, 1, Tokens), tokens = 0;
        var batch = new List<InputMolecule>();
        foreach (InputMolecule molecule in molecules)
        {
            if (batch.Count > 0 && tokens + molecule.Ids.Length > most)
            {
                yield return batch;
                batch = [];
                tokens = 0;
            }
            batch.Add(molecule);
            // Refused ones take no part in it, but memory.
            tokens += Math.Max(8, molecule.Ids.Length);
        }
        if (batch.Count > 0) yield return batch;
    }
}
