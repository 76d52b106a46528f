using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Tokens.Store;

/// <summary>Names in a store's folder.</summary>
internal static class StoreLayout
{
    /// <summary>Ids of one side, 16-bit little endian, document after document.</summary>
    public static string Tokens(string split) => $"{split}.tokens";

    /// <summary>Where each document starts, 64-bit little endian, and behind them the number of tokens: documents + 1 values.</summary>
    public static string Offsets(string split) => $"{split}.offsets";

    public const string Train = "train";

    public const string Validation = "validation";

    public const string Tokenizer = "tokenizer.json";

    /// <summary>All files but the manifest.</summary>
    public static IReadOnlyList<string> Data { get; } =
        [Tokenizer, Tokens(Train), Offsets(Train), Tokens(Validation), Offsets(Validation)];

    public static StoreNames Names { get; } = new("token store", StoreManifest.FileName, Data);
}
