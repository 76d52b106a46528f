using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Native;
using ChemScale.Engine.Simulation;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using static TorchSharp.torch;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>Force fields out of run directories.</summary>
public static class TrainedForceField
{
    /// <summary>
    /// The model of a run with the weights of its least validation loss where the run keeps them, else of its newest checkpoint; averaged
    /// ones where the run averages. Dispose of it.
    /// </summary>
    /// <param name="run">Run directory of a force field.</param>
    /// <param name="warn">Gets a line where the newest checkpoint is damaged and another is used.</param>
    /// <param name="precision">Null: that of the training.</param>
    /// <exception cref="InputException">No run, no checkpoint, or a run of another kind of model.</exception>
    public static ForceField Open(string run, Action<string> warn, Precision? precision = null)
    {
        var directory = new RunDirectory(run);
        if (!directory.IsStarted) throw new InputException(run, "no experiment.yaml", "the run directory of a training", Remedy.Train);
        Experiment experiment = directory.ReadExperiment();
        CheckpointStore checkpoints = directory.Checkpoints();
        Checkpoint checkpoint = checkpoints.OpenBest(warn) ?? checkpoints.OpenNewest(warn) ?? throw new InputException(run, "no checkpoint", "a run that has written one");
        ForceField model = Create(experiment.Model, experiment.Seed, experiment.Training.Dtype, run);
        try
        {
            checkpoint.LoadWeights(model);
        }
        catch (SafetensorsException e)
        {
            model.Dispose();
            throw e.AsInput("this checkpoint is of another model");
        }
        if (precision is { } wanted && wanted != experiment.Training.Dtype)
        {
            using ForceField trained = model;
            model = Converted(trained, Create(experiment.Model, 0, wanted, run));
        }
        model.eval();
        return model;
    }

    private static ForceField Create(ModelSpec model, long seed, Precision precision, string run) =>
        model.Family.CreateForceField(model.Config, seed, precision == Precision.Float64 ? ScalarType.Float64 : ScalarType.Float32)
        ?? throw new InputException(run, model.Family.Name, "the run of a force field");

    private static ForceField Converted(ForceField trained, ForceField model)
    {
        using IDisposable gradients = no_grad();
        Dictionary<string, Tensor> source = trained.state_dict();
        foreach ((string name, Tensor target) in model.state_dict()) target.copy_(source[name]);
        return model;
    }
}

/// <summary>A trained force field beside the frame it is to move.</summary>
public sealed class TrainedPotential : IDisposable
{
    /// <summary>A</summary>
    public const double DefaultSkin = ForceFieldPotential.Skin;

    private readonly ForceField model;
    private readonly ThreadGrant threads;
    private readonly ForceFieldPotential potential;
    private readonly LengthUnit? length;

    /// <param name="request">Which run, which frame.</param>
    /// <param name="warn">Gets a line where the newest checkpoint is damaged and the one before is used, and for each element the model never saw.</param>
    /// <exception cref="InputException">No run, no frame, or a frame of elements that the model does not know.</exception>
    public TrainedPotential(Request request, Action<string> warn)
    {
        if (!(request.Skin >= 0) || !double.IsFinite(request.Skin)) throw new InputException("skin", $"{request.Skin}", "0 A or more");
        length = request.Length;
        Frame = request.Start ?? StartFrame.Read(request.Frame, request.Length);
        if (request.Fix is { } fix) Frame = Frame with { Fixed = StartFrame.Select(fix, Frame) };
        model = TrainedForceField.Open(request.Run, warn, request.Precision);
        try
        {
            int heaviest = Frame.AtomicNumbers.Max();
            if (heaviest > model.Config.MaxAtomicNumber)
            {
                throw new InputException(Frame.Place, $"{Elements.Symbol(heaviest)}, atomic number {heaviest}",
                    $"elements the model was made for, up to {model.Config.MaxAtomicNumber}");
            }
            threads = ThreadScope.Take(request.Threads, Frame.Atoms);
        }
        catch
        {
            model.Dispose();
            throw;
        }
        potential = new ForceFieldPotential(model, request.Skin);
        foreach (string doubt in potential.Doubts(Frame)) warn(doubt);
    }

    /// <summary>What to open.</summary>
    public sealed record Request
    {
        /// <summary>Run directory of a force field.</summary>
        public required string Run { get; init; }

        /// <summary>As <see cref="StartFrame"/> has it.</summary>
        public required string Frame { get; init; }

        /// <summary>The frame itself, where there is no file of it; null: the file's.</summary>
        public Frame? Start { get; init; }

        /// <summary>Atoms that stay where they are, as <see cref="StartFrame"/> has it; null: those that the frame holds fixed.</summary>
        public string? Fix { get; init; }

        /// <summary>A beyond the model's reach that neighbour lists are made for, so that they serve several steps; 0: made anew for each.</summary>
        public double Skin { get; init; } = DefaultSkin;

        /// <summary>Unit of the frame's lengths; null: the file's own, else Angstrom.</summary>
        public LengthUnit? Length { get; init; }

        /// <summary>Null: that of the training.</summary>
        public Precision? Precision { get; init; }

        /// <summary>CPU threads; 0: one for a small frame, else the library's choice.</summary>
        public int Threads { get; init; }
    }

    public Frame Frame { get; }

    public IPotential Potential => potential;

    /// <summary>Another frame, read as the first one was.</summary>
    /// <param name="selection">FILE or FILE@INDEX.</param>
    /// <exception cref="InputException">No such file or frame, or one that cannot be read.</exception>
    public Frame ReadFrame(string selection) => StartFrame.Read(selection, length);

    public void Dispose()
    {
        potential.Dispose();
        threads.Dispose();
        model.Dispose();
    }
}
