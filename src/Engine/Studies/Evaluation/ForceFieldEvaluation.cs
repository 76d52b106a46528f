using ChemScale.Engine.Atoms;
using ChemScale.Engine.Files;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Native;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>
/// Compares a trained force field with the labels of frames. Memory holds a batch and two samples for the plots, however many frames
/// there are.
/// </summary>
public static class ForceFieldEvaluation
{
    public const string PageName = "parity.html";
    public const string PointsName = "parity.csv";
    public const string ErrorsName = "errors.json";
    public const string FramesName = "frames.extxyz";

    /// <summary>Writes errors.json, parity.html with tables and plots, parity.csv with the points drawn, and frames.extxyz.</summary>
    /// <param name="options">Output: a folder, made where it does not exist; files of an earlier evaluation are replaced.</param>
    /// <param name="warn">Gets lines about a damaged checkpoint and about elements the model was not trained on.</param>
    /// <param name="progress">Gets the number of frames done, now and then.</param>
    /// <param name="stop">Nothing is written then.</param>
    /// <exception cref="InputException">
    /// No run of a force field, or what is wrong with the frames or the folder, or not one label; nothing is written.
    /// </exception>
    public static EvaluationReport Run(
        EvaluationOptions options, Action<string> warn, Action<long>? progress = null, CancellationToken stop = default)
    {
        options.Validate();
        using ThreadGrant threads = ThreadScope.Take(options.Threads, options.BatchAtoms);
        using ForceField model = TrainedForceField.Open(options.Run, warn, options.Precision);
        using var file = PendingFile.ForUser(Path.Combine(options.Output, FramesName));
        var writer = new ReferenceFrameWriter(file.Writer);
        var errors = new FrameErrors();
        var labels = new List<string>();
        LabelKeys? last = null;
        foreach ((Frame frame, FramePrediction prediction) in FramePass.Of(model, options, warn, progress, stop))
        {
            if (frame.Keys != last)
            {
                last = frame.Keys;
                if (last is not null && !labels.Contains(last.ToString())) labels.Add(last.ToString());
            }
            errors.Add(frame, prediction);
            writer.Write(frame, prediction);
        }
        if (errors.Energy is null && errors.Force is null && errors.Stress is null)
        {
            throw new InputException(string.Join(", ", options.Files), "frames without labels", "energies or forces to compare with",
                "`energyKey` and `forcesKey` name them; predict needs none");
        }
        EvaluationReport report = Report(options, errors, labels);
        IReadOnlyList<Figure> figures = ParityFigures.Of(errors);
        string csv = ParityFigures.Numbers(errors).ToString(), page = EvaluationPage.Render(report, figures);
        file.Complete();
        Write(options.Output, PointsName, csv);
        Write(options.Output, ErrorsName, EvaluationJson.Write(report));
        Write(options.Output, PageName, page);
        return report;
    }

    private static EvaluationReport Report(EvaluationOptions options, FrameErrors errors, IReadOnlyList<string> labels) => new()
    {
        Run = options.Run,
        Files = options.Files,
        Precision = (options.Precision ?? new RunDirectory(options.Run).ReadExperiment().Training.Dtype).ToString().ToLowerInvariant(),
        Labels = labels,
        Frames = errors.Frames,
        Atoms = errors.Atoms,
        FramesWithoutEnergy = errors.WithoutEnergy,
        FramesWithoutForces = errors.WithoutForces,
        MissingForceComponents = errors.MissingForceComponents,
        PeriodicFrames = errors.PeriodicFrames,
        PeriodicFramesWithoutStress = errors.PeriodicWithoutStress,
        Energy = errors.Energy,
        Forces = errors.Force,
        Stress = errors.Stress,
        ForcesByElement = errors.ForcesByElement,
        ByConfigType = errors.ByConfigType,
        Shift = options.ShiftEnergies ? errors.Shift : null,
        Page = Path.Combine(options.Output, PageName),
    };

    private static void Write(string folder, string name, string content)
    {
        using var file = PendingFile.ForUser(Path.Combine(folder, name));
        file.Writer.Write(content);
        file.Complete();
    }
}
