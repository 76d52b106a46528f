using ChemScale.Engine.Studies;
using CommandLine;

namespace ChemScale.Cli;

[Verb("doctor", HelpText = "Say what this machine offers: runtime, libtorch, CUDA device, ILGPU device, data folder, and what to do about what is missing.")]
internal sealed class DoctorVerb : Verb
{
    public override int Run(CancellationToken stop)
    {
        IReadOnlyList<Finding> findings = Doctor.Examine();
        if (Json)
        {
            Output.Json(findings);
        }
        else
        {
            foreach (Finding finding in findings)
            {
                string mark = finding.Good ? "ok" : finding.Fatal ? "MISSING" : "none";
                Console.WriteLine($"{finding.What,-11} {mark,-8} {finding.Found}");
                if (finding.Hint.Length > 0) Console.WriteLine($"{"",-20} HINT: {finding.Hint}");
            }
        }
        return findings.Any(f => f is { Good: false, Fatal: true }) ? 1 : 0;
    }
}
