using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Models.ForceFields;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>One pass of a model over files of frames, in order, a batch in memory at a time.</summary>
internal static class FramePass
{
    private const long ProgressFrames = 100;

    /// <param name="model">Stays the caller's.</param>
    /// <param name="options">Which frames.</param>
    /// <param name="warn">Gets a line for each element the model was not trained on.</param>
    /// <param name="progress">Gets the number of frames done, now and then.</param>
    /// <param name="stop">Ends the pass.</param>
    /// <exception cref="InputException">No frames, or what is wrong with one.</exception>
    public static IEnumerable<(Frame Frame, FramePrediction Prediction)> Of(
        ForceField model, PredictionOptions options, Action<string> warn, Action<long>? progress, CancellationToken stop)
    {
        var unseen = new UnseenElements(model, warn);
        long done = 0;
        foreach (var pair in FramePrediction.OfAll(model, Frames(options, stop), stress: true, options.BatchAtoms))
        {
            unseen.Look(pair.Frame);
            yield return pair;
            if (++done % ProgressFrames == 0) progress?.Invoke(done);
        }
    }

    private static IEnumerable<Frame> Frames(PredictionOptions options, CancellationToken stop)
    {
        long left = options.Limit ?? long.MaxValue;
        foreach (string file in options.Files)
        {
            bool empty = true;
            foreach (Frame frame in FrameFiles.Read(file, options.Read))
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
