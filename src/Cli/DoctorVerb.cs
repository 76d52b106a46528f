using ChemScale.Engine.Studies;
using CommandLine;

namespace ChemScale.Cli;

[Verb("doctor", HelpText = "Say what this machine offers: runtime, libtorch, CUDA device, ILGPU device, data folder, and what to do about what is missing.")]
[Example("chemscale doctor", "What this machine has, and what to do about what is missing.")]
[Example("chemscale doctor --ptx kernels", "Every kernel's code for NVIDIA GPUs, written here.")]
internal sealed class DoctorVerb : Verb
{
    public override bool HearsSignals => false;

    [Option("imports", HelpText = "Only whether libtorch has all symbols that TorchSharp takes from it; lists those that are missing.")]
    public bool Imports { get; set; }

    [Option("device", HelpText = "Only whether a device works (cpu, cuda, cuda:1): derivatives, a kernel launch, kernels as autograd functions.")]
    public string? Device { get; set; }

    [Option("ptx", HelpText = "Only the kernels: write the PTX of each, and a table, into this folder; with --device cuda, what the driver made of it.")]
    public string? Ptx { get; set; }

    [Option("warm", HelpText = "Only the kernels: compile all of them, on all processors, into the user's cache; with --device cuda, its driver too. Default: at first use.")]
    public bool Warm { get; set; }

    [Option("architecture", Default = "sm_90", HelpText = "Of --ptx and --warm: sm_80, sm_90, sm_90a or their like.")]
    public string Architecture { get; set; } = "sm_90";

    internal override bool NeedsTensors => false;

    public override int Run(CancellationToken stop)
    {
        IReadOnlyList<Finding> findings = this switch
        {
            { Imports: true } => [Doctor.Imports()],
            { Ptx: { } folder } => [Doctor.Kernels(folder, Architecture, Device)],
            { Warm: true } => [Doctor.Warm(Architecture, Device)],
            { Device: { } device } => Doctor.Work(device),
            _ => Doctor.Examine(),
        };
        if (Json)
        {
            Output.Json(findings);
        }
        else
        {
            foreach (Finding finding in findings)
            {
                string mark = finding.Good ? "ok" : finding.Fatal ? "FAILED" : "none";
                Console.WriteLine($"{finding.What,-11} {mark,-8} {finding.Found}");
                foreach (string line in findings.Count == 1 ? finding.Details ?? [] : []) Console.WriteLine($"{"",-20} {line}");
                if (finding.Hint.Length > 0) Console.WriteLine($"{"",-20} HINT: {finding.Hint}");
            }
        }
        return findings.Any(f => f is { Good: false, Fatal: true }) ? 1 : 0;
    }
}
