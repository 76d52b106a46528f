using System.IO.Compression;
using System.Text;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Tests.Tokens.Store;

namespace ChemScale.Tests.Tokens.Preparation;

/// <summary>Inputs made of made-up SELFIES, and what becomes of them.</summary>
internal static class Corpus
{
    public static string[] Molecules(int count) => [.. Enumerable.Range(0, count).Select(SmallStore.Molecule)];

    public static string Write(string path, IEnumerable<string> lines, string newline = "\n")
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + newline)));
        File.WriteAllBytes(path, path.EndsWith(".gz", StringComparison.Ordinal) ? Gzip(text) : text);
        return path;
    }

    public static byte[] Gzip(byte[] bytes)
    {
        using MemoryStream stream = new();
        using (GZipStream gzip = new(stream, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
        return stream.ToArray();
    }

    public static PreparationOptions Options(TemporaryFolder folder, params string[] files) => new()
    {
        Files = files,
        Kind = MoleculeKind.Selfies,
        Output = folder["store"],
        ValidationFraction = 0.1,
        Split = SplitKind.Text, // made-up symbols: many of them stand for one molecule
        Threads = 3,
    };

    /// <summary>All molecules of a store, train side first.</summary>
    public static string[] Texts(string folder)
    {
        using TokenStore store = TokenStore.Open(folder);
        store.Verify();
        return [.. Side(store, store.Train), .. Side(store, store.Validation)];

        static IEnumerable<string> Side(TokenStore store, TokenSplit split)
        {
            string[] texts = new string[split.Documents];
            for (int i = 0; i < texts.Length; i++) texts[i] = store.Tokenizer.Decode(split.Document(i));
            return texts;
        }
    }
}
