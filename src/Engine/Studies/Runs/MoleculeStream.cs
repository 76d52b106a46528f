using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChemScale.Engine.Chemistry.Identity;
using ChemScale.Engine.Files;
using ChemScale.Engine.Generation;
using ChemScale.Engine.Studies.Toolkits;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>
/// The file of a sampling while it grows: a line a sequence, in their order, under another name until it is complete, and beside it what was asked for.
/// What a process that was killed left is gone on with behind the last whole line.
/// </summary>
internal sealed class MoleculeStream : IDisposable
{
    public const string FileName = "molecules.tsv";

    private const string RequestName = "molecules.json", UnfinishedName = "molecules.unfinished.tsv", UnfinishedRequestName = "molecules.unfinished.json";
    private const string Refused = "!ERROR";
    private const int FlushedBytes = 1 << 16;

    private static readonly TimeSpan SyncedEvery = TimeSpan.FromSeconds(20);

    private readonly string folder;
    private readonly AppendLog log;
    private readonly MoleculeSet different = new();

    // What our own reader refuses of what is decoded: none that is known.
    private readonly HashSet<string> unread = new(StringComparer.Ordinal);
    private readonly List<GeneratedMolecule> shown = [];
    private readonly SpreadSample sample = new(Toolkit.Most);
    private readonly Dictionary<string, long> refusedByReason = new(StringComparer.Ordinal);
    private readonly string header;
    private long synced = Stopwatch.GetTimestamp();

    private MoleculeStream(string folder, Tokenizer tokenizer)
    {
        this.folder = folder;
        header = HeaderOf(tokenizer);
        long length = Replay(tokenizer);
        log = new AppendLog(DiskStorage.Shared, In(UnfinishedName), length);
        if (length == 0) Append(header);
    }

    public GenerationCounts Counts { get; } = new();

    /// <exception cref="InputException">The folder cannot be written, or holds another sampling that is not complete.</exception>
    public static MoleculeStream Open(GenerationRequest request, MoleculePrompt prompt, TrainedLanguageModel trained)
    {
        string folder = request.Output;
        bool continued = false;
        try
        {
            IStorage storage = DiskStorage.Shared;
            storage.EnsureDirectory(folder);
            byte[] wanted = Seal.Json(JsonSerializer.SerializeToUtf8Bytes(Asked.For(request, prompt, trained), AskedJson.Default.Asked));
            string unfinished = Path.Combine(folder, UnfinishedName), complete = Path.Combine(folder, FileName);
            // Names are given in this order, so that after a crash a file without its request is one of no lines, or the completed one's.
            if (FileErrors.Exists(unfinished) && new FileInfo(unfinished).Length > HeaderOf(trained.Tokenizer).Length)
            {
                string asked = Path.Combine(folder, UnfinishedRequestName);
                if (!FileErrors.Exists(asked)) asked = Path.Combine(folder, RequestName);
                if (!request.Resume)
                    throw new InputException(unfinished, "an unfinished sampling", "a folder without one", "`resume` goes on with it; or delete the file");
                Require(asked, wanted);
            }
            else if (request.Resume && FileErrors.Exists(complete) && FileErrors.Exists(Path.Combine(folder, RequestName)))
            {
                Require(Path.Combine(folder, RequestName), wanted);
                storage.ReplaceFile(complete, unfinished);
                continued = true;
            }
            else
            {
                storage.Create(unfinished).Dispose();
            }
            storage.WriteAtomically(Path.Combine(folder, UnfinishedRequestName), wanted);
            try
            {
                var found = new MoleculeStream(folder, trained.Tokenizer);
                if (found.Counts.Sequences <= request.Sampling.Count) return found;
                found.PutAside();
                found.Dispose();
                throw new InputException("count", $"{request.Sampling.Count}", $"{found.Counts.Sequences} or more: as many are there");
            }
            catch when (continued)
            {
                // What was complete stays so where no more is to be had.
                storage.ReplaceFile(unfinished, complete);
                storage.DeleteFile(Path.Combine(folder, UnfinishedRequestName));
                throw;
            }
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw new InputException(folder, e.Message, "a folder that can be written to");
        }
    }

    /// <param name="molecule">The next of them.</param>
    /// <param name="tokens">Drawn or given.</param>
    /// <param name="reason">Why it is none.</param>
    public void Add(GeneratedMolecule molecule, int tokens, string reason)
    {
        Count(molecule, tokens, reason);
        Append($"{molecule.Selfies}\t{molecule.Smiles ?? Refused}\t{(molecule.Finished ? "finished" : "unfinished")}\n");
        if (log.Pending < FlushedBytes) return;
        log.Flush();
        if (Stopwatch.GetElapsedTime(synced) < SyncedEvery) return;
        log.Sync();
        synced = Stopwatch.GetTimestamp();
    }

    /// <summary>What is there stays, to be gone on with.</summary>
    public void PutAside()
    {
        log.Flush();
        log.Sync();
    }

    /// <param name="prompt">What all begin with.</param>
    /// <param name="stop">Ends RDKit's look at a sample; the file is complete by then.</param>
    public GeneratedMolecules Complete(MoleculePrompt prompt, CancellationToken stop)
    {
        PutAside();
        log.Dispose();
        IStorage storage = DiskStorage.Shared;
        storage.ReplaceFile(In(UnfinishedRequestName), In(RequestName));
        storage.ReplaceFile(In(UnfinishedName), In(FileName));
        storage.SyncDirectory(folder);
        return new GeneratedMolecules
        {
            File = In(FileName),
            Prompt = prompt,
            Counts = Counts,
            RefusedByReason = refusedByReason,
            Toolkit = ToolkitValidity.Of(sample.Kept, stop),
            Molecules = shown,
        };
    }

    public void Dispose() => log.Dispose();

    private static void Require(string path, byte[] wanted)
    {
        if (!FileErrors.Exists(path)) throw new InputException(path, "is missing", "what the sampling was asked for");
        Asked found = Seal.ReadJson<Asked>(path, AskedJson.Default.Options, "what a sampling was asked for");
        string[] other = [.. Asked.Differences(found, JsonSerializer.Deserialize(Seal.OpenJson(wanted, path, out _), AskedJson.Default.Asked)!)];
        if (other.Length > 0) throw new InputException(path, $"another sampling ({string.Join(", ", other)})", "the one to go on with", "choose another folder");
    }

    private static string HeaderOf(Tokenizer tokenizer) => $"{(tokenizer.Representation == Representation.Smiles ? "drawn" : "selfies")}\tsmiles\tend\n";

    private string In(string name) => Path.Combine(folder, name);

    private void Append(string line)
    {
        int bytes = Encoding.UTF8.GetByteCount(line);
        Encoding.UTF8.GetBytes(line, log.Buffer.GetSpan(bytes));
        log.Buffer.Advance(bytes);
    }

    private void Count(GeneratedMolecule molecule, int tokens, string reason)
    {
        Counts.Sequences++;
        Counts.Tokens += tokens;
        if (shown.Count < GeneratedMolecules.MostShown) shown.Add(molecule);
        if (!molecule.Finished) Counts.Unfinished++;
        else if (molecule.Smiles is not { } smiles)
        {
            Counts.Refused++;
            refusedByReason[reason] = refusedByReason.GetValueOrDefault(reason) + 1;
        }
        else if (smiles.Length == 0) Counts.Empty++;
        else
        {
            Counts.Valid++;
            sample.Add(smiles);
            if (different.Add(smiles) ?? unread.Add(smiles)) Counts.Distinct++;
        }
    }

    /// <summary>Counts what is there.</summary>
    /// <returns>Bytes of whole lines.</returns>
    private long Replay(Tokenizer tokenizer)
    {
        string path = In(UnfinishedName);
        var texts = new DrawnText(tokenizer);
        long whole = 0;
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), new UTF8Encoding(false));
        long length = reader.BaseStream.Length;
        for (long number = 1; reader.ReadLine() is { } line; number++)
        {
            long end = whole + Encoding.UTF8.GetByteCount(line) + 1;
            // The last line without its end is half of one, or as good as that.
            if (end > length) break;
            whole = end;
            if (number == 1 && line + "\n" == header) continue;
            if (line.Split('\t') is not [var drawn, var smiles, "finished" or "unfinished"] || number == 1)
                throw new InputException($"{path}:{number}", "no line of a sampling", "what was drawn, SMILES and how it ended", "delete the file to begin anew");
            int tokens = tokenizer.EncodeBody(drawn, new ushort[tokenizer.MaximumIds(drawn.Length)]);
            string reason = smiles == Refused && texts.Smiles(drawn) is null ? texts.Reason : "";
            Count(new GeneratedMolecule(drawn, smiles == Refused ? null : smiles, line.EndsWith("\tfinished", StringComparison.Ordinal)), tokens, reason);
        }
        return whole;
    }

    /// <summary>What decides which molecules are drawn.</summary>
    internal sealed record Asked
    {
        public required string Model { get; init; }

        public required string Prompt { get; init; }

        public required double Temperature { get; init; }

        public required int TopK { get; init; }

        public required double TopP { get; init; }

        public required double RepetitionPenalty { get; init; }

        public required int NoRepeat { get; init; }

        public required long Seed { get; init; }

        public required int MaximumTokens { get; init; }

        public required bool AllTokens { get; init; }

        public static Asked For(GenerationRequest request, MoleculePrompt prompt, TrainedLanguageModel trained) => new()
        {
            Model = trained.Identity,
            Prompt = prompt.Selfies,
            Temperature = request.Sampling.Temperature,
            TopK = request.Sampling.TopK,
            TopP = request.Sampling.TopP,
            RepetitionPenalty = request.Sampling.RepetitionPenalty,
            NoRepeat = request.Sampling.NoRepeat,
            Seed = request.Sampling.Seed,
            MaximumTokens = request.Sampling.Capacity(trained.Model.Config.Positions),
            AllTokens = request.AllTokens,
        };

        public static IEnumerable<string> Differences(Asked found, Asked wanted) => typeof(Asked).GetProperties()
            .Where(p => p.PropertyType != typeof(Type) && !Equals(p.GetValue(found), p.GetValue(wanted)))
            .Select(p => $"{JsonNamingPolicy.CamelCase.ConvertName(p.Name)} {p.GetValue(found)} instead of {p.GetValue(wanted)}");
    }
}

/// <summary>Written by code that is compiled ahead: a short sampling is little more than the start of the process.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(MoleculeStream.Asked))]
internal sealed partial class AskedJson : JsonSerializerContext;
