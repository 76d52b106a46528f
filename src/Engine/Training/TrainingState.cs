using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Files;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Engine.Training.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training;

/// <summary>Everything that must come back for a run to go on as if it had never stopped.</summary>
internal sealed class TrainingState(Experiment experiment, ITrainingTask task, AdamW optimizer, WeightAverage? average, RunScope scope)
{
    private const string RandomState = "random.cpu";

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public TrainingCounters Counters { get; private set; } = new();

    /// <returns>Name of the checkpoint.</returns>
    public string Save(CheckpointStore checkpoints, MetricsPosition metrics, Action ensureHeld)
    {
        using DisposeScope made = NewDisposeScope();
        var json = new JsonObject
        {
            ["experiment"] = experiment.Id,
            ["device"] = Scalars.Format(experiment.Training.Device),
            ["threads"] = get_num_threads(),
            ["operators"] = Scalars.Format(experiment.Training.Operators),
            ["counters"] = JsonSerializer.SerializeToNode(Counters, Json),
            ["metrics"] = JsonSerializer.SerializeToNode(metrics, Json),
            ["optimizer"] = optimizer.SaveState(),
            ["data"] = task.SaveState(),
        };
        return Path.GetFileName(checkpoints.Save(Counters.Step, task.Model.state_dict(), Tensors(), json, ensureHeld));
    }

    /// <param name="checkpoint">Of a run.</param>
    /// <param name="warn">Told where it was written under other circumstances.</param>
    /// <param name="of">Experiment that the checkpoint is of; null: this one.</param>
    /// <returns>How long the metrics were.</returns>
    /// <exception cref="InputException">The checkpoint is of another experiment.</exception>
    public MetricsPosition Load(Checkpoint checkpoint, Action<string> warn, string? of = null) =>
        Reading.Guard(Path.Combine(checkpoint.Path, Checkpoint.StateFile), "the state of a training, as this program writes it", () => Restore(checkpoint, warn,
            of ?? experiment.Id));

    private MetricsPosition Restore(Checkpoint checkpoint, Action<string> warn, string of)
    {
        using DisposeScope made = NewDisposeScope();
        JsonObject json = checkpoint.State;
        if ((string?)json["experiment"] != of)
            throw new InputException(checkpoint.Path, $"checkpoint of experiment {json["experiment"]}", of);
        WarnIfOther(warn, "device", (string)json["device"]!, Scalars.Format(experiment.Training.Device));
        WarnIfOther(warn, "thread count", json["threads"]!.ToString(), get_num_threads().ToString());
        // Version 0.3 did not say.
        if ((string?)json["operators"] is { } operators) WarnIfOther(warn, "operators", operators, Scalars.Format(experiment.Training.Operators));
        try
        {
            checkpoint.LoadWeights(task.Model, averaged: false);
            using SafetensorsFile training = checkpoint.OpenTraining();
            foreach ((string name, Tensor tensor) in Tensors().Where(t => t.Key != RandomState)) training.ReadInto(name, tensor);
            Tensor state = scope.Random.get_state();
            training.ReadInto(RandomState, state);
            scope.Random.set_state(state);
        }
        catch (SafetensorsException e)
        {
            throw e.AsInput("this checkpoint is of another model");
        }
        optimizer.LoadState(json["optimizer"]!);
        task.LoadState(json["data"]!);
        Counters = json["counters"].Deserialize<TrainingCounters>(Json)!;
        return json["metrics"].Deserialize<MetricsPosition>(Json)!;
    }

    /// <summary>All but the model's own.</summary>
    private IEnumerable<KeyValuePair<string, Tensor>> Tensors()
    {
        foreach ((string name, Tensor tensor) in optimizer.Tensors)
            yield return KeyValuePair.Create("optimizer." + name, tensor);
        foreach ((string name, Tensor tensor) in average?.Tensors ?? [])
            yield return KeyValuePair.Create(Checkpoint.AveragePrefix + name, tensor);
        yield return KeyValuePair.Create(RandomState, scope.Random.get_state());
    }

    private static void WarnIfOther(Action<string> warn, string what, string saved, string present)
    {
        if (saved != present) warn($"resuming with {what} {present} instead of {saved}: results will agree only to rounding");
    }
}

/// <summary>Where a run stands, apart from tensors and data: saved in every checkpoint as it is.</summary>
internal sealed record TrainingCounters
{
    /// <summary>Optimizer steps done.</summary>
    public long Step { get; set; }

    public long ItemsSeen { get; set; }

    public double Seconds { get; set; }

    /// <summary>Sum over the present epoch's items of the training loss, each step's with the weights of that step.</summary>
    public double EpochLossSum { get; set; }

    public long EpochWeight { get; set; }

    public double? ValidationLoss { get; set; }

    public long? ValidatedStep { get; set; }

    public double? BestValidationLoss { get; set; }

    public long? BestStep { get; set; }

    /// <summary>Validations since the best.</summary>
    public int Stale { get; set; }

    public Plateau Plateau { get; set; } = new();

    /// <returns>True where it is the best so far.</returns>
    public bool AddValidation(double loss)
    {
        ValidationLoss = loss;
        ValidatedStep = Step;
        Stale++;
        if (BestValidationLoss is { } best && !(loss < best)) return false;
        BestValidationLoss = loss;
        BestStep = Step;
        Stale = 0;
        return true;
    }
}
