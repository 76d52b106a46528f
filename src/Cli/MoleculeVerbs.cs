using ChemScale.Engine;
using ChemScale.Engine.Studies.Molecules;
using ChemScale.Engine.Tokens.Preparation;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>Options of the verbs that put a trained language model to files of molecules.</summary>
internal abstract class MoleculeVerb : Verb
{
    [Option("kind", Default = MoleculeKind.Smiles, HelpText = "What the input holds: smiles or selfies.")]
    public MoleculeKind Kind { get; set; }

    [Option("column", HelpText = "Column of a .csv (default: the one named smiles or selfies).")]
    public string? Column { get; set; }

    [Option("threads", HelpText = "CPU threads (default: as many as are ours: see doctor).")]
    public int Threads { get; set; }

    protected static void Warn(string message) => Console.Error.WriteLine("chemscale: warning: " + message);

    protected MoleculeFiles Files(IEnumerable<string> files) => new() { Files = [.. files], Kind = Kind, Column = Column };
}

/// <summary>And what a corpus of them is prepared with.</summary>
internal abstract class MoleculeFilesVerb : MoleculeVerb
{
    [Option("run", HelpText = "Run directory of a language model (default runs/train).")]
    public string RunDirectory { get; set; } = Path.Combine("runs", "train");

    [Option("molecules", HelpText = "Files: .smi or .txt (first field of each line), .csv or .tsv (a column); each possibly .gz.")]
    public IEnumerable<string> Molecules { get; set; } = [];

    [Option("keep-stereo", HelpText = "Keep stereo marks (default: strip them, as when a corpus is prepared).")]
    public bool KeepStereo { get; set; }

    [Option("fragments", Default = FragmentRule.Largest, HelpText = "Salts and mixtures: largest, all or refuse.")]
    public FragmentRule Fragments { get; set; }

    protected MoleculeFiles Input => Files(Molecules) with { KeepStereo = KeepStereo, Fragments = Fragments };
}

[Verb("score", HelpText = "How likely a language model finds molecules: nats, tokens and perplexity of each, as .csv, in the order of the input.")]
[Example("chemscale score --run runs/train --molecules library.smi.gz --out scores.csv", "Nats, tokens and perplexity of each molecule, in their order.")]
[Example("chemscale score --run runs/train --molecules set.csv --column smiles", "Of a column of a table.")]
internal sealed class ScoreVerb : MoleculeFilesVerb
{
    [Option("out", HelpText = "File to write (default runs/scores.csv).")]
    public string Out { get; set; } = Path.Combine("runs", "scores.csv");

    public override int Run(CancellationToken stop)
    {
        ScoringReport report;
        using (var display = new CountDisplay("molecules"))
            report = MoleculeScoring.Run(new ScoringRequest { Run = RunDirectory, Molecules = Input, Output = Out, Threads = Threads }, Warn, display.Report, stop);
        if (Json) Output.Json(report);
        else Console.WriteLine($"{report.File}: {report.Molecules:N0} molecules, {report.Refused:N0} lines refused, {report.WithUnknown:N0} with unknown symbols; "
            + $"{OneLine.Number(report.NatsPerMolecule, 3)} nats a molecule, {OneLine.Number(report.NatsPerToken, 4)} a token");
        return 0;
    }
}

[Verb("embed", HelpText = "Molecules as vectors of a language model's hidden states: an .npy of float32, an index of its rows, and what they are of.")]
[Example("chemscale embed --run runs/train --molecules library.smi --out library.npy", "A vector for each molecule, that of its end token.")]
[Example("chemscale embed --run runs/train --molecules library.smi --pool mean --layer 12", "The mean over tokens after 12 layers.")]
internal sealed class EmbedVerb : MoleculeFilesVerb
{
    [Option("out", HelpText = "File to write (default runs/embeddings.npy).")]
    [Key("output")]
    public string Out { get; set; } = Path.Combine("runs", "embeddings.npy");

    [Option("pool", Default = EmbeddingPool.Last, HelpText = "last: the vector of the end token; mean: of all tokens.")]
    public EmbeddingPool Pool { get; set; }

    [Option("layer", HelpText = "Layers that the molecules go through (default: all, and the final norm; 0: none).")]
    public int? Layer { get; set; }

    public override int Run(CancellationToken stop)
    {
        EmbeddingReport report;
        using (var display = new CountDisplay("molecules"))
        {
            report = MoleculeEmbedding.Run(
                new EmbeddingRequest { Run = RunDirectory, Molecules = Input, Output = Out, Pool = Pool, Layer = Layer, Threads = Threads }, Warn, display.Report, stop);
        }
        if (Json) Output.Json(report);
        else Console.WriteLine($"{report.File}: {report.Molecules:N0} molecules, {report.Width} numbers each; {report.Refused:N0} lines refused; {report.Index} says which row is which");
        return 0;
    }
}

[Verb("nearest", HelpText = "The nearest molecules among embeddings: exact, every vector is compared.")]
[Example("chemscale nearest --embeddings library.npy --query drugs.smi -k 10", "The ten nearest molecules of each drug, exact.")]
[Example("chemscale nearest --embeddings library.npy --query drugs.npy --metric euclidean", "Of vectors that embed wrote.")]
internal sealed class NearestVerb : MoleculeVerb
{
    [Option("embeddings", Required = true, HelpText = "An .npy that embed wrote, its index and its .json beside it.")]
    public string Embeddings { get; set; } = "";

    [Option("query", Required = true, HelpText = "Another .npy of the same model, or a file of molecules.")]
    public string Query { get; set; } = "";

    [Option("run", HelpText = "Run directory to embed the query's molecules with (default: where it was when the embeddings were made).")]
    public string? RunDirectory { get; set; }

    [Option('k', HelpText = "Neighbours of each (default 10).")]
    public int? K { get; set; }

    [Option("metric", Default = EmbeddingMetric.Cosine, HelpText = "cosine or euclidean.")]
    public EmbeddingMetric Metric { get; set; }

    [Option("out", HelpText = "File to write (default runs/nearest.tsv).")]
    public string Out { get; set; } = Path.Combine("runs", "nearest.tsv");

    public override int Run(CancellationToken stop)
    {
        NearestReport report;
        using (var display = new CountDisplay("vectors"))
        {
            report = NearestNeighbors.Run(new NearestRequest
            {
                Embeddings = Embeddings,
                Query = Files([Query]),
                Run = RunDirectory,
                K = K ?? 10,
                Metric = Metric,
                Output = Out,
                Threads = Threads,
            }, Warn, display.Report, stop);
        }
        if (Json) Output.Json(report);
        else Console.WriteLine($"{report.File}: {report.Queries:N0} queries among {report.Searched:N0} molecules");
        return 0;
    }
}
