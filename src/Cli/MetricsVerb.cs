using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Studies.MoleculeSets;
using ChemScale.Engine.Tokens.Preparation;
using CommandLine;

namespace ChemScale.Cli;

[Verb("metrics", HelpText = "Measure generated molecules against a reference as MOSES does: valid, unique, novel, diversity, nearest neighbours, scaffolds, "
    + "distances of weight, atoms, rings, bonds, charges and tokens; writes OUT/metrics.json and metrics.html.")]
[Example("chemscale metrics --generated runs/generate/molecules.tsv --reference moses_test.smi.gz", "MOSES' figures of what a model drew.")]
[Example("chemscale metrics --generated a.smi --reference test.smi --training train.smi --out runs/metrics", "Novelty too.")]
internal sealed class MetricsVerb : Verb
{
    [Option("generated", Required = true, HelpText = "File of molecules to judge: .smi, .txt, .csv or .tsv (such as generate's molecules.tsv), possibly .gz.")]
    public string Generated { get; set; } = "";

    [Option("reference", Required = true, HelpText = "File of molecules as they should be: a test set.")]
    public string Reference { get; set; } = "";

    [Option("training", HelpText = "File of the molecules trained on, for novelty (default: novelty is not computed).")]
    public string? Training { get; set; }

    [Option("kind", Default = MoleculeKind.Smiles, HelpText = "What the files hold: smiles or selfies.")]
    public MoleculeKind Kind { get; set; }

    [Option("column", HelpText = "Column of a .csv or .tsv (default: the one named smiles or selfies).")]
    public string? Column { get; set; }

    [Option("grammar", HelpText = "SELFIES grammar of the tokens: 1.0.4 (default), 2.1 or 2.2.")]
    public string? Grammar { get; set; }

    [Option("constraints", HelpText = "JSON file of bonds by element and charge, {\"C\": 4, \"N+1\": 4, \"?\": 8} (default: the grammar's).")]
    public string? Constraints { get; set; }

    [Option("sample", Default = 30_000, HelpText = "Diversity and nearest neighbours are of the first so many valid generated molecules.")]
    public int Sample { get; set; }

    [Option("out", HelpText = "Folder to write to (default runs/metrics).")]
    public string Out { get; set; } = Path.Combine("runs", "metrics");

    [Option("threads", HelpText = "Default: as many as are ours (see doctor).")]
    public int? Threads { get; set; }

    internal override bool NeedsTensors => false;

    public override int Run(CancellationToken stop)
    {
        SetMetrics metrics = MoleculeMetrics.Run(new MoleculeMetricsOptions
        {
            Generated = Generated,
            Reference = Reference,
            Training = Training,
            Kind = Kind,
            Column = Column,
            Grammar = Grammar is null ? SelfiesGrammar.V1 : SelfiesGrammars.Parse(Grammar),
            Constraints = Constraints is null ? null : BondConstraints.Read(Constraints),
            Sample = Sample,
            Output = Out,
            Threads = Threads ?? ProcessorBudget.Count,
        }, stop);
        if (Json) Output.Json(metrics);
        else Print(metrics);
        return 0;
    }

    private static void Print(SetMetrics metrics)
    {
        Console.WriteLine($"{metrics.Page}: {metrics.Generated:N0} lines of {metrics.GeneratedFile} against {metrics.Reference:N0} molecules of {metrics.ReferenceFile}");
        foreach ((string name, double? value, string of) in metrics.Rows) Console.WriteLine($"  {name,-26}{Number(value),12}  {of}");
        Console.WriteLine($"  {"",-26}{"generated",12}{"reference",12}{"Wasserstein",12}{"KL, nats",12}");
        foreach (Engine.Studies.MoleculeSets.Distribution d in metrics.Distributions)
        {
            Console.WriteLine($"  {d.Name + (d.Unit.Length == 0 ? "" : $", {d.Unit}"),-26}{Number(d.GeneratedMean),12}{Number(d.ReferenceMean),12}"
                + $"{Number(d.Wasserstein),12}{Number(d.Divergence),12}");
        }
        foreach (ToolkitFigure f in metrics.Toolkit)
        {
            Console.WriteLine(f.NotComputed is { } reason
                ? $"  {f.Name,-26}{"not computed",12}  {OneLine.Of(reason)}"
                : $"  {f.Name,-26}{Number(f.Generated),12}{Number(f.Reference),12}{Number(f.Value),12}");
        }
    }

    private static string Number(double? value) => value is { } number ? number.ToString("G5", CultureInfo.InvariantCulture) : "-";
}
