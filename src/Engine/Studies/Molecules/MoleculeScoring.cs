using System.Globalization;
using ChemScale.Engine.Files;
using ChemScale.Engine.Models;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Tokens.Packing;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Studies.Molecules;

/// <summary>What is to be scored.</summary>
public sealed record ScoringRequest
{
    /// <summary>Run directory of a language model.</summary>
    public required string Run { get; init; }

    public required MoleculeFiles Molecules { get; init; }

    /// <summary>The .csv to write.</summary>
    public required string Output { get; init; }

    /// <summary>CPU threads; 0: the library's choice.</summary>
    public int Threads { get; init; }
}

/// <summary>What was scored.</summary>
/// <param name="File">With a line for each molecule, in the order of the input.</param>
/// <param name="Molecules">Scored ones.</param>
/// <param name="Refused">Lines without a score; the file says why.</param>
/// <param name="WithUnknown">Molecules with symbols that the model has no token for.</param>
/// <param name="Tokens">Predicted ones: all but [CLS].</param>
/// <param name="Nats">Sum of -ln p over them.</param>
public sealed record ScoringReport(string File, long Molecules, long Refused, long WithUnknown, long Tokens, double Nats)
{
    public double NatsPerToken => Nats / Tokens;

    public double NatsPerMolecule => Nats / Molecules;
}

/// <summary>How likely a language model finds molecules: -ln p of each, all its tokens and the end.</summary>
public static class MoleculeScoring
{
    private const string Header = "line,molecule,tokens,unknown,nats,nats_per_token,perplexity,refused\n";

    /// <param name="request">What is to be scored.</param>
    /// <param name="warn">Gets a line where the newest checkpoint is damaged and the one before is used.</param>
    /// <param name="progress">Told the number of lines now and then.</param>
    /// <param name="stop">Ends it; nothing is written then.</param>
    /// <exception cref="InputException">No run of a language model, a file that cannot be read, or one that cannot be written.</exception>
    public static ScoringReport Run(ScoringRequest request, Action<string> warn, Action<long>? progress = null, CancellationToken stop = default)
    {
        using TrainedLanguageModel trained = TrainedLanguageModel.Open(request.Run, warn);
        using ThreadGrant granted = ThreadGrant.Take(request.Threads, place: "threads");
        ChemGpt model = trained.Model;
        IEnumerable<InputMolecule> input = MoleculeInput.Read(request.Molecules, trained.Tokenizer, model.Config.Positions, stop);
        using PendingFile file = PendingFile.Beside(request.Output, request.Molecules.Files);
        file.Writer.Write(Header);
        long scored = 0, refused = 0, withUnknown = 0, tokens = 0;
        double sum = 0;
        foreach (List<InputMolecule> batch in MoleculeBatches.Of(input, model.Config.VocabularySize))
        {
            stop.ThrowIfCancellationRequested();
            double[] nats = Nats(model, [.. batch.Where(m => m.Refusal is null).Select(m => m.Ids)]);
            int next = 0;
            foreach (InputMolecule molecule in batch)
            {
                string text = Csv(molecule.Text);
                if (molecule.Refusal is { } reason)
                {
                    refused++;
                    file.Writer.Write($"{molecule.Line},{text},,,,,,{Csv(reason)}\n");
                    continue;
                }
                double value = nats[next++];
                int predicted = molecule.Ids.Length - 1;
                (scored, tokens, sum) = (scored + 1, tokens + predicted, sum + value);
                if (molecule.Unknown > 0) withUnknown++;
                file.Writer.Write(string.Create(CultureInfo.InvariantCulture,
                    $"{molecule.Line},{text},{predicted},{molecule.Unknown},{value:G9},{value / predicted:G9},{Math.Exp(value / predicted):G9},\n"));
            }
            progress?.Invoke(scored + refused);
        }
        if (scored == 0)
            throw new InputException(string.Join(", ", request.Molecules.Files), $"no molecule in {refused} lines", "molecules", "the kind of the lines is smiles or selfies");
        file.Complete();
        return new ScoringReport(Path.GetFullPath(request.Output), scored, refused, withUnknown, tokens, sum);
    }

    /// <summary>-ln p of molecules, ids with [CLS] and [SEP]: every token but the first.</summary>
    internal static double[] Nats(ChemGpt model, ReadOnlySpan<ushort[]> molecules)
    {
        if (molecules.Length == 0) return [];
        PackedBatch batch = PackedBatch.Of(molecules);
        using var gradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using var rows = new PackedRows(batch.RowStarts);
        Tensor targets = Indices(model, batch.Targets);
        Tensor logits = model.Logits(Indices(model, batch.TokenIds), Indices(model, batch.Positions), rows);
        Tensor chosen = logits.gather(1, targets.clamp_min(0).unsqueeze(1)).squeeze(1);
        double[] nats = [.. (logits.logsumexp(1).to(ScalarType.Float64) - chosen.to(ScalarType.Float64)).cpu().data<double>()];
        var sums = new double[molecules.Length];
        for (int m = 0; m < sums.Length; m++)
            for (int t = batch.RowStarts[m]; t < batch.RowStarts[m + 1] - 1; t++) sums[m] += nats[t];
        return sums;
    }

    /// <summary>Quoted where it has to be.</summary>
    internal static string Csv(string text) =>
        text.AsSpan().IndexOfAny(",\"\n\r") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    internal static Tensor Indices(ChemGpt model, int[] values) => tensor(Array.ConvertAll(values, static v => (long)v), device: model.TokenTable.device);
}
