using ChemScale.Engine;
using ChemScale.Engine.Studies.Verification;
using CommandLine;

namespace ChemScale.Cli;

[Verb("verify", HelpText = "Read stores, runs, sweeps and studies whole and say what is wrong, file by file. Exit code 2 where something is.")]
[Example("chemscale verify runs/moses runs/chemgpt", "Whether every stored byte is as it was written.")]
internal sealed class VerifyVerb : Verb
{
    [Value(0, MetaName = "folders", Required = true, HelpText = "Of stores, runs, sweeps or studies, or of folders that hold such.")]
    public IEnumerable<string> Folders { get; set; } = [];

    public override int Run(CancellationToken stop)
    {
        VerificationReport report = Verifier.Run(Folders, stop);
        if (Json)
        {
            Output.Json(report);
        }
        else
        {
            foreach (VerificationProblem problem in report.Problems) Console.WriteLine($"{problem.Place}: {problem.Problem}");
            Console.WriteLine($"{report.Stores} stores, {report.Runs} runs with {report.Checkpoints} checkpoints, {report.Plans} sweeps: "
                + $"{report.Files:N0} files, {report.Bytes:N0} bytes; {(report.Problems.Count == 0 ? "all sound" : $"{report.Problems.Count} wrong")}");
        }
        if (report.Problems.Count == 0) return 0;
        VerificationProblem first = report.Problems.FirstOrDefault(p => !p.Unreadable) ?? report.Problems[0];
        string others = report.Problems.Count > 1 ? $", and {report.Problems.Count - 1} more" : "";
        return first.Unreadable
            ? throw new IOException($"{first.Place}: {first.Problem}{others}")
            : throw new InputException(first.Place, first.Problem + others);
    }
}
