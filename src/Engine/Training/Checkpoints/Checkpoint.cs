using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Checkpoints;

/// <summary>
/// A whole checkpoint whose checksums were found right: <c>model.safetensors</c> (weights and buffers under their names in the module),
/// <c>training.safetensors</c> (moments, averaged weights, random state), <c>state.json</c> (everything else) and <c>SHA256SUMS</c>.
/// </summary>
public sealed class Checkpoint
{
    internal const string ModelFile = "model.safetensors";
    internal const string TrainingFile = "training.safetensors";
    internal const string StateFile = "state.json";
    internal const string SumsFile = Files.FileChecksum.ListName;
    internal const string AveragePrefix = "average.";

    // Before version 0.4 the weights of PaiNN's and SchNet's interactions were stored twice, the second time under these names.
    private static readonly Dictionary<string, string> FormerNames = new()
    {
        ["messageContext1"] = "message1",
        ["messageContext2"] = "message2",
        ["vectorMix"] = "vector_mix",
        ["mixContext1"] = "mix1",
        ["mixContext2"] = "mix2",
        ["input"] = "in2f",
    };

    internal Checkpoint(string path, long step, JsonObject state)
    {
        Path = path;
        Step = step;
        State = state;
    }

    public string Path { get; }

    /// <summary>Optimizer steps done when it was written.</summary>
    public long Step { get; }

    /// <summary>Everything that is not a tensor.</summary>
    public JsonObject State { get; }

    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>Overwrites the module's parameters and buffers, on whatever device they are.</summary>
    /// <param name="module">Of the same shape as the module that was saved.</param>
    /// <param name="averaged">Takes the moving average of the weights where the run kept one.</param>
    /// <exception cref="SafetensorsException">The module has other tensors than the checkpoint.</exception>
    public void LoadWeights(nn.Module module, bool averaged = true)
    {
        using SafetensorsFile model = OpenModel();
        using SafetensorsFile training = OpenTraining();
        using IDisposable noGrad = no_grad();
        Dictionary<string, Tensor> tensors = module.state_dict();
        var names = new Dictionary<string, string>();
        foreach (string stored in model.Entries.Keys)
        {
            string name = tensors.ContainsKey(stored) ? stored : string.Join('.', stored.Split('.').Select(step => FormerNames.GetValueOrDefault(step, step)));
            if (!tensors.ContainsKey(name))
                throw new SafetensorsException(SafetensorsFault.Mismatch, System.IO.Path.Combine(Path, ModelFile), $"the model has no {stored}");
            if (name == stored || !names.ContainsKey(name)) names[name] = stored;
        }
        foreach ((string name, Tensor tensor) in tensors)
        {
            if (averaged && training.Entries.ContainsKey(AveragePrefix + name)) training.ReadInto(AveragePrefix + name, tensor);
            else model.ReadInto(names.GetValueOrDefault(name, name), tensor);
        }
    }

    /// <summary>Null where it is of this experiment, or does not say.</summary>
    /// <param name="experiment">Its id.</param>
    /// <param name="path">Where it is written.</param>
    internal InputException? OtherThan(string experiment, string path) =>
        State["experiment"] is JsonValue value && value.TryGetValue(out string? id) && id != experiment
            ? new InputException(path, $"experiment {experiment}", $"{id}, which {Name} is of") : null;

    /// <exception cref="InputException">It is of another experiment than the one beside it.</exception>
    internal void RequireOf(string experiment, string path)
    {
        if (OtherThan(experiment, path) is { } other) throw other;
    }

    internal SafetensorsFile OpenModel() => SafetensorsFile.Open(System.IO.Path.Combine(Path, ModelFile));

    internal SafetensorsFile OpenTraining() => SafetensorsFile.Open(System.IO.Path.Combine(Path, TrainingFile));
}
