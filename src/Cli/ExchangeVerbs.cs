using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Exchange;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>What both ways of an exchange print.</summary>
internal abstract class ExchangeVerb : Verb
{
    protected static void Warn(string message) => Console.Error.WriteLine("chemscale: warning: " + message);

    protected int Answer(ExchangeReport report)
    {
        if (Json)
        {
            Output.Json(report);
            return 0;
        }
        Console.WriteLine($"{report.Path}: {report.Parameters:N0} parameters, experiment {report.Experiment}");
        foreach (string note in report.Notes) Console.WriteLine("  " + note);
        return 0;
    }
}

[Verb("export", HelpText = "Write a run's model as a folder of another program: Hugging Face's transformers, or schnetpack.")]
[Example("chemscale export exported --run runs/train --to huggingface", "A folder that transformers opens.")]
[Example("chemscale export painn --run runs/painn --to schnetpack", "A state_dict and a loader for schnetpack.")]
internal sealed class ExportVerb : ExchangeVerb
{
    [Option("run", HelpText = "Run directory of a training (default runs/train).")]
    public string RunDirectory { get; set; } = Path.Combine("runs", "train");

    [Option("to", Required = true, HelpText = "huggingface (language models) or schnetpack (SchNet, PaiNN).")]
    public ExchangeFormat To { get; set; }

    [Value(0, MetaName = "FOLDER", Required = true, HelpText = "Folder to make.")]
    public string Folder { get; set; } = "";

    public override int Run(CancellationToken stop) => Answer(ModelExchange.Export(RunDirectory, To, Folder, Warn));
}

[Verb("import", HelpText = "Make a run directory of a model that another program wrote: a folder of config.json and model.safetensors or pytorch_model.bin. "
    + "Nothing in it is executed.")]
[Example("chemscale import ChemGPT-4.7M --out runs/chemgpt", "Published weights as a run that generates and fine-tunes.")]
[Example("chemscale import painn --units kcal/mol --out runs/painn", "A force field of schnetpack.")]
internal sealed class ImportVerb : ExchangeVerb
{
    [Value(0, MetaName = "FOLDER", Required = true, HelpText = "Folder of a GPT-Neo with tokenizer.json, or of a schnetpack model.")]
    public string Folder { get; set; } = "";

    [Option("out", HelpText = "Run directory to make (default runs/import).")]
    public string Out { get; set; } = Path.Combine("runs", "import");

    [Option("grammar", HelpText = "SELFIES grammar of the tokenizer, where its vocabulary does not show it: 1.0.4, 2.1 or 2.2.")]
    public string? Grammar { get; set; }

    [Option("constraints", HelpText = "JSON file of bonds by element and charge, {\"C\": 4, \"N+1\": 4, \"?\": 8} (default: the tokenizer's, else the grammar's).")]
    public string? Constraints { get; set; }

    [Option("units", HelpText = "Force fields: unit of the energies, where the folder does not say it (default eV).")]
    public string? Units { get; set; }

    public override int Run(CancellationToken stop) => Answer(ModelExchange.Import(new ImportRequest
    {
        Folder = Folder,
        Output = Out,
        Grammar = Grammar is null ? null : SelfiesGrammars.Parse(Grammar),
        Constraints = Constraints is null ? null : BondConstraints.Read(Constraints),
        Units = Units is null ? null : EnergyUnit.Parse(Units, "units"),
    }, Warn, stop));
}
