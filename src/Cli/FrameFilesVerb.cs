using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Training.Experiments;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>Options of the verbs that put a trained force field to files of frames.</summary>
internal abstract class FrameFilesVerb : Verb
{
    [Option("run", HelpText = "Run directory of a force field (default runs/train).")]
    public string RunDirectory { get; set; } = Path.Combine("runs", "train");

    [Option("frames", HelpText = "Files of frames: .xyz, .extxyz, .npz, .h5, .hdf5, .db.")]
    public IEnumerable<string> Frames { get; set; } = [];

    [Option("length-units", HelpText = "Unit of positions: Angstrom (default), Bohr or nm.")]
    public string? LengthUnits { get; set; }

    [Option("precision", HelpText = "Compute in float32 or float64 (default: that of the training).")]
    public Precision? Precision { get; set; }

    [Option("batch-atoms", Default = FramePrediction.BatchAtoms, HelpText = "Frames are computed together up to this many atoms.")]
    public int BatchAtoms { get; set; }

    [Option("threads", HelpText = "CPU threads (default: all cores).")]
    public int Threads { get; set; }

    [Option("limit", HelpText = "Stop after this many frames.")]
    public long? Limit { get; set; }

    protected LengthUnit? Length => LengthUnits is null ? null : LengthUnit.Parse(LengthUnits, "--length-units");

    protected static void Warn(string message) => Console.Error.WriteLine("chemscale: warning: " + message);
}
