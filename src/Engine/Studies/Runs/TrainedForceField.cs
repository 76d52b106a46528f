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
        checkpoint.RequireOf(experiment.Id, directory.ExperimentPath);
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

    /// <summary>The run directories of a committee; of one model, its own.</summary>
    /// <param name="run">What a training made.</param>
    /// <exception cref="InputException">Members of different data.</exception>
    public static IReadOnlyList<string> Members(string run)
    {
        string[] members = Directory.Exists(run) ? [.. Directory.EnumerateDirectories(run, MemberName + "*").Order(StringComparer.Ordinal)] : [];
        if (members.Length == 0) return [run];
        if (members.Length == 1) throw new InputException(run, "a committee of one", "two members or more");
        string?[] data = [.. members.Select(m => new RunDirectory(m) is { IsStarted: true } directory ? directory.ReadExperiment().Data.Fingerprint
            : throw new InputException(m, "no experiment.yaml", "the run directory of a training", Remedy.Train))];
        for (int i = 1; i < members.Length; i++)
            if (data[i] != data[0]) throw new InputException(members[i], $"data {data[i]}", $"{data[0]}, as {members[0]} was trained on");
        return members;
    }

    /// <summary>The run directory of a committee's member.</summary>
    public static string Member(string committee, int number) => Path.Combine(committee, $"{MemberName}{number:D2}");

    private const string MemberName = "member-";

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

/// <summary>A trained force field, or all members of a committee.</summary>
internal sealed class TrainedModels : IDisposable
{
    private readonly List<ForceField> models = [];

    /// <exception cref="InputException">As <see cref="TrainedForceField.Open"/> and <see cref="TrainedForceField.Members"/> have it.</exception>
    public TrainedModels(string run, Action<string> warn, Precision? precision)
    {
        try
        {
            foreach (string member in TrainedForceField.Members(run)) models.Add(TrainedForceField.Open(member, warn, precision));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IReadOnlyList<ForceField> All => models;

    public void Dispose()
    {
        foreach (ForceField model in models) model.Dispose();
    }
}

/// <summary>A trained force field beside the frame it is to move.</summary>
public sealed class TrainedPotential : IDisposable
{
    /// <summary>A</summary>
    public const double DefaultSkin = ForceFieldPotential.Skin;

    private readonly List<ForceField> models = [];
    private readonly List<ForceFieldPotential> potentials = [];
    private readonly ThreadGrant threads;
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
        try
        {
            int heaviest = Frame.AtomicNumbers.Max();
            foreach (string member in TrainedForceField.Members(request.Run))
            {
                ForceField model = TrainedForceField.Open(member, warn, request.Precision);
                models.Add(model);
                if (heaviest > model.Config.MaxAtomicNumber)
                {
                    throw new InputException(Frame.Place, $"{Elements.Symbol(heaviest)}, atomic number {heaviest}",
                        $"elements the model was made for, up to {model.Config.MaxAtomicNumber}");
                }
            }
            threads = ThreadScope.Take(request.Threads, Frame.Atoms);
        }
        catch
        {
            foreach (ForceField model in models) model.Dispose();
            throw;
        }
        potentials.AddRange(models.Select(model => new ForceFieldPotential(model, request.Skin)));
        Potential = IsCommittee ? new CommitteePotential(potentials) : potentials[0];
        foreach (string doubt in Potential.Doubts(Frame)) warn(doubt);
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

    /// <summary>Of a committee, the mean of its members.</summary>
    public IPotential Potential { get; }

    /// <summary>Whether there are several models, whose forces tell how far they are apart.</summary>
    public bool IsCommittee => models.Count > 1;

    /// <summary>Another frame, read as the first one was.</summary>
    /// <param name="selection">FILE or FILE@INDEX.</param>
    /// <exception cref="InputException">No such file or frame, or one that cannot be read.</exception>
    public Frame ReadFrame(string selection) => StartFrame.Read(selection, length);

    public void Dispose()
    {
        foreach (ForceFieldPotential potential in potentials) potential.Dispose();
        threads.Dispose();
        foreach (ForceField model in models) model.Dispose();
    }
}
