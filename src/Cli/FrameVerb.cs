using ChemScale.Engine;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training.Experiments;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>Options of the verbs that put a trained force field to one frame.</summary>
internal abstract class FrameVerb : Verb
{
    [Option("run", HelpText = "Run directory of a trained force field (default runs/train).")]
    public string RunDirectory { get; set; } = Path.Combine("runs", "train");

    [Option("frame",
        HelpText = "FILE or FILE@INDEX (.xyz, .extxyz, .npz, .h5, .db), from 0, or from the end with -1. Only the geometry is used.")]
    public string? FrameFile { get; set; }

    [Option("length-units", HelpText = "Of the frame: Angstrom, Bohr or nm (default: the file's own, else Angstrom).")]
    public string? LengthUnits { get; set; }

    [Option("precision", HelpText = "float32 or float64 (default: that of the training).")]
    public Precision? Precision { get; set; }

    [Option("threads", HelpText = "CPU threads (default: one for small frames).")]
    public int Threads { get; set; }

    /// <exception cref="InputException">No run, no frame, or ones that do not fit together.</exception>
    protected TrainedPotential Open() => new(new TrainedPotential.Request
    {
        Run = RunDirectory,
        Frame = FrameFile ?? throw new InputException("--frame", "not given", "a file of frames"),
        Length = LengthUnits is null ? null : LengthUnit.Parse(LengthUnits, "--length-units"),
        Precision = Precision,
        Threads = Threads,
    }, message => Console.Error.WriteLine("chemscale: warning: " + message));
}
