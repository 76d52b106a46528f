using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>One pass of a model over files of frames, in order, a batch in memory at a time.</summary>
internal static class FramePass
{
    private const long ProgressFrames = 100;

    /// <param name="models">Stay the caller's; of several the mean is given, with its spreads.</param>
    /// <param name="options">Which frames.</param>
    /// <param name="warn">Gets a line for each element the model was not trained on.</param>
    /// <param name="progress">Gets the number of frames done, now and then.</param>
    /// <param name="stop">Ends the pass.</param>
    /// <exception cref="InputException">No frames, or what is wrong with one.</exception>
    public static IEnumerable<(Frame Frame, FramePrediction Prediction)> Of(
        IReadOnlyList<ForceField> models, PredictionOptions options, Action<string> warn, Action<long>? progress, CancellationToken stop)
    {
        var unseen = new UnseenElements(models[0], warn);
        long done = 0;
        // Each member reads the files by itself: all of them go through together, a batch at a time.
        IEnumerable<(Frame Frame, FramePrediction Prediction)> Through(ForceField model) =>
            FramePrediction.OfAll(model, Frames(options, stop), stress: true, options.BatchAtoms);
        IEnumerable<(Frame Frame, FramePrediction Prediction)> pass = models.Count == 1 ? Through(models[0]) : Together([.. models.Select(Through)]);
        foreach (var pair in pass)
        {
            unseen.Look(pair.Frame);
            yield return pair;
            if (++done % ProgressFrames == 0) progress?.Invoke(done);
        }
    }

    private static IEnumerable<(Frame Frame, FramePrediction Prediction)> Together(IReadOnlyList<IEnumerable<(Frame Frame, FramePrediction Prediction)>> members)
    {
        var all = members.Select(m => m.GetEnumerator()).ToList();
        try
        {
            while (all.All(e => e.MoveNext())) yield return (all[0].Current.Frame, FramePrediction.Mean([.. all.Select(e => e.Current.Prediction)]));
        }
        finally
        {
            foreach (var e in all) e.Dispose();
        }
    }

    private static IEnumerable<Frame> Frames(PredictionOptions options, CancellationToken stop)
    {
        long left = options.Limit ?? long.MaxValue;
        foreach (string file in options.Files)
        {
            bool empty = true;
            foreach (Frame frame in FrameFiles.Read(file, options.Read with { Stop = stop }))
            {
                stop.ThrowIfCancellationRequested();
                empty = false;
                yield return frame;
                if (--left == 0) yield break;
            }
            if (empty) throw new InputException(file, "no frames", "at least one");
        }
    }
}

/// <summary>Which frames a trained force field is given, and how.</summary>
public record PredictionOptions
{
    /// <summary>Run directory of a force field.</summary>
    public required string Run { get; init; }

    /// <summary>Frames in any known format, read one after another.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>A file of frames for predictions, a folder for an evaluation.</summary>
    public required string Output { get; init; }

    /// <summary>What the files do not say themselves.</summary>
    public FrameReadOptions Read { get; init; } = new();

    /// <summary>Null: that of the training.</summary>
    public Precision? Precision { get; init; }

    /// <summary>Frames are evaluated together up to this many atoms.</summary>
    public int BatchAtoms { get; init; } = FramePrediction.BatchAtoms;

    /// <summary>CPU threads; 0: the library's choice.</summary>
    public int Threads { get; init; }

    /// <summary>Stop after this many frames; null: all.</summary>
    public long? Limit { get; init; }

    /// <exception cref="InputException">Options out of range.</exception>
    public virtual void Validate()
    {
        if (Files.Count == 0) throw new InputException("frames", "no files", "at least one");
        if (BatchAtoms < 1) throw new InputException("batch atoms", $"{BatchAtoms}", "1 or more");
        ProcessorBudget.Check(Threads, least: 0);
        if (Limit < 1) throw new InputException("limit", $"{Limit}", "1 or more");
    }
}
