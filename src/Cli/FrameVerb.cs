using System.Diagnostics;
using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training.Experiments;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>Options of the verbs that put a trained force field to one frame.</summary>
internal abstract class FrameVerb : Verb
{
    [OptionGroup("Model and frame")]
    [Option("run", HelpText = "Run directory of a trained force field (default runs/train).")]
    public string RunDirectory { get; set; } = Path.Combine("runs", "train");

    [Option("frame",
        HelpText = "FILE or FILE@INDEX (.xyz, .extxyz, .npz, .h5, .db), from 0, or from the end with -1. Labels are not used.")]
    public string? FrameFile { get; set; }

    [Option("length-units", HelpText = "Of the frame: Angstrom, Bohr or nm (default: the file's own, else Angstrom).")]
    public string? LengthUnits { get; set; }

    [Option("precision", HelpText = "float32 or float64 (default: that of the training).")]
    public Precision? Precision { get; set; }

    [Option("threads", HelpText = "CPU threads (default: one for small frames).")]
    public int Threads { get; set; }

    [Option("skin", HelpText = "A beyond the model's reach that neighbour lists are made for, so that they last; 0: anew each step (default 0.5). Forces are the same.")]
    public double? Skin { get; set; }

    /// <param name="kept">A start that needs no file.</param>
    /// <param name="fix">Atoms that stay where they are.</param>
    /// <exception cref="InputException">No run, no frame, or ones that do not fit together.</exception>
    protected TrainedPotential Open(Frame? kept = null, string? fix = null) => new(new TrainedPotential.Request
    {
        Run = RunDirectory,
        Frame = FrameFile ?? (kept is not null ? "" : throw new InputException("--frame", "not given", "a file of frames")),
        Start = FrameFile is null ? kept : null,
        Fix = fix,
        Skin = Skin ?? TrainedPotential.DefaultSkin,
        Length = LengthUnits is null ? null : LengthUnit.Parse(LengthUnits, "--length-units"),
        Precision = Precision,
        Threads = Threads,
    }, message => Console.Error.WriteLine("chemscale: warning: " + message));
}

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

    [Option("threads", HelpText = "CPU threads (default: as many as are ours: see doctor).")]
    public int Threads { get; set; }

    [Option("limit", HelpText = "Stop after this many frames.")]
    public long? Limit { get; set; }

    protected LengthUnit? Length => LengthUnits is null ? null : LengthUnit.Parse(LengthUnits, "--length-units");

    protected static void Warn(string message) => Console.Error.WriteLine("chemscale: warning: " + message);
}

/// <summary>A count of what is done, on standard error: one line that changes on a terminal, a line now and then elsewhere.</summary>
internal sealed class CountDisplay(string name) : IDisposable
{
    private readonly bool live = !Console.IsErrorRedirected;
    private readonly TimeSpan period = Console.IsErrorRedirected ? TimeSpan.FromSeconds(10) : TimeSpan.FromMilliseconds(200);
    private long last = Stopwatch.GetTimestamp(), start;
    private long? first;
    private bool open;

    public void Report(long count)
    {
        // What an earlier process did is no part of this one's rate.
        if (first is null) (first, start) = (count, Stopwatch.GetTimestamp());
        if (Stopwatch.GetElapsedTime(last) < period) return;
        last = Stopwatch.GetTimestamp();
        string line = $"{count:N0} {name}, {(count - first) / Stopwatch.GetElapsedTime(start).TotalSeconds:N0}/s";
        if (live) Console.Error.Write("\r\x1b[2K" + line);
        else Console.Error.WriteLine(line);
        open = live;
    }

    public void Dispose()
    {
        if (open) Console.Error.WriteLine();
        open = false;
    }
}
