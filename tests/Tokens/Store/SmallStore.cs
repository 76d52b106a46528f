using ChemScale.Engine.Files;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Store;

namespace ChemScale.Tests.Tokens.Store;

/// <summary>Stores of made-up molecules.</summary>
internal static class SmallStore
{
    private static readonly string[] Symbols = ["[C]", "[N]", "[O]", "[=O]", "[Br]", "[Ring1]"];

    public static Tokenizer Tokenizer { get; } = SmallTokenizer.Create();

    /// <summary>Different molecules: their number in base 6, behind as many carbons as its length.</summary>
    public static string Molecule(int number)
    {
        string text = "";
        for (int rest = number; rest > 0; rest /= Symbols.Length) text = Symbols[rest % Symbols.Length] + text;
        return "[C][O]" + text;
    }

    public static StoreManifest Write(
        string folder,
        IEnumerable<string> molecules,
        TokenStoreOptions? options = null,
        IStorage? storage = null)
    {
        options ??= new TokenStoreOptions { Split = new SplitRule(0.1, 7), Source = "made up" };
        using TokenStoreWriter writer = new(folder, options, storage ?? DiskStorage.Shared);
        foreach (string molecule in molecules) writer.Add(options.Split.Key(molecule), Tokenizer.Encode(molecule));
        return writer.Complete(Tokenizer);
    }

    public static StoreManifest Write(string folder, int count, TokenStoreOptions? options = null, IStorage? storage = null) =>
        Write(folder, Enumerable.Range(0, count).Select(Molecule), options, storage);

    /// <summary>The molecules of a side, in their order.</summary>
    public static string[] Texts(TokenSplit split)
    {
        string[] texts = new string[split.Documents];
        for (int i = 0; i < texts.Length; i++) texts[i] = Tokenizer.Decode(split.Document(i));
        return texts;
    }
}
