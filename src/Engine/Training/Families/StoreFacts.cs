using System.Globalization;
using System.Text.Json;
using ChemScale.Engine.Files;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Training.Families;

/// <summary>What the report says of a token store; what only its preparation knew is kept beside the store.</summary>
internal static class StoreFacts
{
    internal const string FileName = "preparation.json";

    /// <param name="folder">The store.</param>
    /// <param name="report">Of the preparation that has just made it; null: an earlier one did.</param>
    public static DataFacts Of(string folder, PreparationReport? report)
    {
        string path = Path.Combine(folder, FileName);
        if (report is not null)
        {
            var counts = new Counts(report.Lines, report.RefusedCount, report.Refused.ToDictionary(r => r.Reason, r => r.Count));
            DiskStorage.Shared.WriteAtomically(path, Seal.Json(JsonSerializer.SerializeToUtf8Bytes(counts)));
        }
        Counts? known = File.Exists(path) ? Read(path) : null;
        using TokenStore store = TokenStore.Open(folder);
        StoreManifest m = store.Manifest;
        long documents = m.Train.Documents + m.Validation.Documents, tokens = m.Train.Tokens + m.Validation.Tokens;
        return new DataFacts
        {
            Source = m.Source,
            Synthetic = m.Synthetic,
            Read = known?.Lines ?? documents,
            Train = m.Train.Documents,
            Validation = m.Validation.Documents,
            Refused = known?.Refused ?? 0,
            RefusedByReason = known?.ByReason ?? [],
            Facts = new Dictionary<string, string>
            {
                [m.Representation == Representation.Smiles ? "Representation" : "Grammar"] = m.NotationName,
                ["Writing"] = m.Options.GetValueOrDefault("writing", "as given"),
                ["Vocabulary"] = Text(m.VocabularySize),
                ["Tokens"] = Text(tokens),
                ["Tokens per molecule"] = (tokens / Math.Max(1.0, documents)).ToString("F1", CultureInfo.InvariantCulture),
                ["Longest molecule, tokens"] = Text(Math.Max(m.Train.Longest, m.Validation.Longest)),
                ["Split and copies by"] = m.Split.Kind.ToString().ToLowerInvariant(),
                ["Duplicates dropped"] = Text(m.Duplicates),
                ["Unknown tokens"] = Text(m.UnknownTokens),
                ["Stereo"] = m.Options.GetValueOrDefault("stereo", "as given"),
                ["Fragments"] = m.Options.GetValueOrDefault("fragments", "as given"),
            },
        };
    }

    /// <exception cref="InputException">The file beside a store is damaged.</exception>
    internal static void Check(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (File.Exists(path)) Read(path);
    }

    private static Counts Read(string path) => Seal.ReadJson<Counts>(path, JsonSerializerOptions.Default, "what a preparation counted");

    private static string Text(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private sealed record Counts(long Lines, long Refused, Dictionary<string, long> ByReason);
}
