using System.Text.Json.Nodes;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;

namespace ChemScale.Tests.Tokens;

/// <summary>A tokenizer of a few symbols, and files that differ from it in one place.</summary>
internal static class SmallTokenizer
{
    public static Tokenizer Create(SelfiesGrammar grammar = SelfiesGrammar.V1) => Counts().ToTokenizer(grammar);

    public static SymbolCounts Counts()
    {
        SymbolCounts counts = new();
        counts.Add("[C][C][C][N][=O][N][C][O][Br][Ring1][O]");
        return counts;
    }

    /// <summary>The file with the value at <paramref name="pointer"/> (keys and indices after slashes) replaced.</summary>
    public static string With(string pointer, string value, SelfiesGrammar grammar = SelfiesGrammar.V1)
    {
        JsonNode root = JsonNode.Parse(Create(grammar).ToJson())!;
        string[] keys = pointer[1..].Split('/');
        JsonNode at = root;
        foreach (string key in keys[..^1]) at = int.TryParse(key, out int index) ? at[index]! : at[key]!;
        at[keys[^1]] = JsonNode.Parse(value);
        return root.ToJsonString();
    }
}
