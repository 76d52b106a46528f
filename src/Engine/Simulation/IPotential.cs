using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Native;
using static TorchSharp.torch;

namespace ChemScale.Engine.Simulation;

/// <summary>An energy surface, in float64.</summary>
public interface IPotential
{
    /// <summary>Tells this surface from any other, so that a simulation is not gone on with on another one; null: it cannot be told.</summary>
    string? Identity => null;

    /// <summary>Neighbour lists made so far; 0 where none are kept from one frame to the next.</summary>
    long NeighborListBuilds => 0;

    /// <param name="frame">Its labels are not looked at.</param>
    /// <param name="stress">Whether the stress of a periodic frame is wanted too.</param>
    /// <exception cref="InputException">An unknown element, atoms at one point, no proper cell.</exception>
    FramePrediction Evaluate(Frame frame, bool stress = false);

    /// <summary>Several frames, each as if it were alone; the same ones in the same order whenever it is called for a simulation.</summary>
    /// <inheritdoc cref="Evaluate"/>
    IReadOnlyList<FramePrediction> EvaluateAll(IReadOnlyList<Frame> frames, bool stress = false) => [.. frames.Select(frame => Evaluate(frame, stress))];

    /// <summary>Why what it says of such frames means nothing: a line each.</summary>
    IReadOnlyList<string> Doubts(Frame frame) => [];
}

/// <summary>The mean of several surfaces, with how far they are apart.</summary>
/// <param name="members">Stay the caller's.</param>
internal sealed class CommitteePotential(IReadOnlyList<IPotential> members) : IPotential
{
    public string? Identity => string.Join(' ', members.Select(m => m.Identity));

    public long NeighborListBuilds => members.Sum(m => m.NeighborListBuilds);

    public FramePrediction Evaluate(Frame frame, bool stress = false) => EvaluateAll([frame], stress)[0];

    public IReadOnlyList<FramePrediction> EvaluateAll(IReadOnlyList<Frame> frames, bool stress = false)
    {
        IReadOnlyList<FramePrediction>[] all = [.. members.Select(m => m.EvaluateAll(frames, stress))];
        return [.. frames.Select((_, f) => FramePrediction.Mean([.. all.Select(of => of[f])]))];
    }

    public IReadOnlyList<string> Doubts(Frame frame) => [.. members.SelectMany(m => m.Doubts(frame)).Distinct()];
}

/// <summary>The energy surface of a neural force field, with the weights that it has when this is made.</summary>
/// <param name="model">Stays the caller's; its weights stay as they are.</param>
/// <param name="skin">A beyond the model's reach that neighbour lists are made for; 0: made anew for each frame.</param>
internal sealed class ForceFieldPotential(ForceField model, double skin = ForceFieldPotential.Skin) : IPotential, IDisposable
{
    /// <summary>A: a list lasts some tens of steps at room temperature, and holds a third more pairs.</summary>
    public const double Skin = 0.5;

    private readonly FramePredictor predictor = new(model);
    private readonly List<VerletList> lists = [];
    private string? identity;

    /// <summary>Of kind, sizes, weights and their type.</summary>
    public string Identity => identity ??= Hash();

    public long NeighborListBuilds => lists.Sum(list => list.Builds);

    public FramePrediction Evaluate(Frame frame, bool stress = false) => EvaluateAll([frame], stress)[0];

    public IReadOnlyList<FramePrediction> EvaluateAll(IReadOnlyList<Frame> frames, bool stress = false)
    {
        // Without a reach every pair counts, and there is nothing to look for.
        if (skin <= 0 || !double.IsFinite(model.Config.NeighborCutoff)) return predictor.Predict(frames, stress);
        while (lists.Count < frames.Count) lists.Add(new VerletList(model.Config.NeighborCutoff, skin));
        return predictor.Predict(frames, stress, lists);
    }

    public IReadOnlyList<string> Doubts(Frame frame)
    {
        List<string> doubts = [];
        new UnseenElements(model, doubts.Add).Look(frame);
        return doubts;
    }

    public void Dispose() => predictor.Dispose();

    // A reach over every pair is infinite.
    private static readonly JsonSerializerOptions WithInfinities = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes<object>(model.Config, WithInfinities));
        foreach ((string name, Tensor weight) in model.state_dict())
        {
            hash.AppendData(JsonSerializer.SerializeToUtf8Bytes($"{name} {weight.dtype}"));
            using Tensor here = weight.detach().cpu().contiguous();
            using var memory = new TensorMemory(here);
            hash.AppendData(memory.Bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
