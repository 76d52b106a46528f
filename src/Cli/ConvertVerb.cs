using ChemScale.Engine;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Conversion;
using CommandLine;

namespace ChemScale.Cli;

[Verb("convert", HelpText = "A line-by-line filter, standard input to standard output, on all cores, order kept; refused lines become '!ERROR reason'.")]
[Example("chemscale convert --to selfies < molecules.smi > molecules.selfies", "SMILES to SELFIES, a line each.")]
[Example("chemscale convert --from selfies --to smiles --grammar 2.1 < a.selfies", "And back, by the newer grammar.")]
[Example("chemscale convert --to key < molecules.smi | sort | uniq -d", "Molecules that are there twice, however written.")]
internal sealed class ConvertVerb : Verb
{
    [Option("from", Default = LineForm.Smiles, HelpText = "smiles, selfies or tokens.")]
    public LineForm From { get; set; }

    [Option("to", Default = LineForm.Selfies, HelpText = "selfies, smiles, tokens, canonical (SMILES that depend on the molecule alone) or key (32 hexadecimal digits, equal for equal molecules).")]
    public LineForm To { get; set; }

    [Option("grammar", HelpText = "SELFIES grammar: 1.0.4, 2.1 or 2.2 (default: the tokenizer's, else 1.0.4).")]
    public string? Grammar { get; set; }

    [Option("constraints", HelpText = "JSON file of bonds by element and charge, {\"C\": 4, \"N+1\": 4, \"?\": 8} (default: the tokenizer's, else the grammar's).")]
    public string? Constraints { get; set; }

    [Option("tokenizer", HelpText = "tokenizer.json, where tokens are involved.")]
    [Key("tokenizer")]
    public string? TokenizerFile { get; set; }

    [Option("threads", HelpText = "Default: as many as are ours (see doctor).")]
    public int? Threads { get; set; }

    internal override bool NeedsTensors => false;

    public override int Run(CancellationToken stop)
    {
        SelfiesGrammar? grammar = Grammar is null ? null : SelfiesGrammars.Parse(Grammar);
        BondConstraints? constraints = Constraints is null ? null : BondConstraints.Read(Constraints);
        Tokenizer? tokenizer = TokenizerFile is null ? null : Tokenizer.Load(TokenizerFile);
        bool smilesTokens = tokenizer?.Representation == Representation.Smiles;
        if (!smilesTokens) tokenizer = tokenizer?.With(grammar, constraints);
        var options = new ConversionOptions
        {
            From = From,
            To = To,
            Tokenizer = tokenizer,
            Grammar = grammar ?? (smilesTokens ? null : tokenizer?.Grammar) ?? SelfiesGrammar.V1,
            Constraints = constraints,
            Threads = Threads ?? ProcessorBudget.Count,
        };
        using Stream input = Console.OpenStandardInput(), output = Console.OpenStandardOutput();
        (long lines, long refused) = LineConversion.Run(input, output, options, stop);
        if (refused > 0) Console.Error.WriteLine($"{lines:N0} lines, {refused:N0} refused");
        return 0;
    }
}
