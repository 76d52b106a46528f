using ChemScale.Perf.Merging;
using CommandLine;

namespace ChemScale.Perf.Commands;

[Verb("table", HelpText = "Print one Markdown table of results.")]
internal sealed class TableVerb : Verb
{
    [Value(0, MetaName = "PLACE", Required = true, HelpText = "Folder or file of `perf run --json`; JSON lines of peers (.jsonl) beside them.")]
    public string Place { get; set; } = "";

    public override int Run(string[] arguments)
    {
        foreach (string line in MarkdownTable.Of(ResultFiles.Read(Place))) Console.WriteLine(line);
        return 0;
    }
}
