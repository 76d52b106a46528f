using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using CommandLine;

namespace ChemScale.Cli;

[Verb("train", HelpText = "Train one model. Without --data or --molecules: on the built-in virtual library (synthetic).")]
internal sealed class TrainVerb : TrainingVerb
{
    [Option("out", HelpText = "Run directory (default runs/train).")]
    public string Out { get; set; } = Path.Combine("runs", "train");

    [Option("resume", HelpText = "Go on with the run in OUT from its last checkpoint.")]
    public bool Resume { get; set; }

    public override int Run(CancellationToken stop)
    {
        var directory = new RunDirectory(Out);
        // Before any data are prepared there.
        if (!Resume) directory.RequireNew();
        // Options given beside --resume must agree with the run; they are never ignored.
        Experiment experiment = Build(Out, stop, Resume && directory.IsStarted ? directory.ReadExperiment() : null);
        using ITrainingTask task = TrainingTasks.Create(experiment, stop);
        var display = new TrainingDisplay();
        TrainingResult result;
        try
        {
            result = Trainer.Run(experiment, task, directory, new TrainerOptions
            {
                Resume = Resume,
                Progress = display,
                Warn = message => Console.Error.WriteLine("chemscale: warning: " + message),
                CancellationToken = stop,
            });
        }
        finally
        {
            display.Close();
        }
        RunFacts.Keep(task, directory.Path);
        RunFacts facts = RunFacts.Of(task);
        if (Json)
        {
            Output.Json(new { Experiment = experiment.Id, Directory = directory.Path, Facts = facts, Result = result });
        }
        else
        {
            Console.WriteLine($"{directory.Path}: {result.Reason} after {result.Steps} steps, {result.ItemsSeen:N0} {task.ItemName}, {result.Seconds:F1} s; "
                + $"validation loss {result.FinalValidationLoss:F4} (best {result.BestValidationLoss:F4} at step {result.BestStep})");
            Console.WriteLine($"  {facts.Parameters:N0} non-embedding parameters, {facts.Items:N0} unique training {facts.ItemName}; peak memory {PeakMemory.Text()}");
        }
        return 0;
    }
}
