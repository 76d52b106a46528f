using ChemScale.Perf.Merging;
using CommandLine;

namespace ChemScale.Perf.Commands;

[Verb("merge", HelpText = "Join the files of the tasks of a run: throughput by nodes, and efficiency against one task.")]
internal sealed class MergeVerb : Verb
{
    [Value(0, MetaName = "FOLDER", Required = true, HelpText = "Of `perf run --json FOLDER`.")]
    public string Folder { get; set; } = "";

    [Option("out", HelpText = "File for the joined results. Default: joined.json in the folder.")]
    public string? Out { get; set; }

    public override int Run(string[] arguments)
    {
        MergedRun merged = MergedRun.Of(ResultFiles.Read(Folder));
        foreach (string line in merged.Lines()) Console.WriteLine(line);
        merged.Write(Out ?? Path.Combine(Folder, ResultFiles.Joined));
        return 0;
    }
}
