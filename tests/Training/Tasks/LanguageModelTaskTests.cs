using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Families;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Engine.Training.Runs;
using ChemScale.Tests.Models;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Training.Tasks;

public class LanguageModelTaskTests
{
    private static readonly ChemGptConfig MuP = new()
    {
        Layers = 1,
        Width = 8,
        Heads = 2,
        Positions = 128,
        VocabularySize = 60,
        Parametrization = Parametrization.Mup,
        BaseWidth = 32,
    };

    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "adamw_gptneo_*.npz"])]
    public void Twenty_steps_of_AdamW_follow_the_reference_trajectory(string file)
    {
        using var scope = NewDisposeScope();
        var fixture = new GptNeoFixture(file, "w0.");
        using ChemGpt model = fixture.Model();
        using var optimizer = new AdamW(model.named_parameters().Select(p => (p.name, p.parameter)), new OptimizerSpec());
        double[] losses = fixture.File.Doubles("loss"), norms = fixture.File.Doubles("grad_norm");
        for (int step = 0; step < losses.Length; step++)
        {
            (Tensor ids, Tensor positions, PackedRows rows, Tensor targets) = fixture.Packed(step);
            Tensor loss = model.Loss(ids, positions, rows, targets);
            Expect.Close(loss.item<double>(), losses[step], absolute: 1e-11, message: $"loss before update {step + 1}");
            Gradients.Backward(loss);
            double norm = Math.Sqrt(model.parameters().Sum(p => p.grad!.pow(2).sum().item<double>()));
            Expect.Close(norm, norms[step], absolute: 1e-10, message: $"gradient norm before update {step + 1}");
            optimizer.Step(1e-3);
            foreach (var parameter in model.parameters()) parameter.grad!.zero_();
        }
        foreach ((string name, Tensor view) in ChemGptWeights.Named(model))
            Expect.Close(view, fixture.File.Tensor("w20." + name), absolute: 1e-10, message: name);
    }

    [Test]
    public void Accumulated_half_batches_give_the_gradient_of_the_whole_batch()
    {
        string folder = Directory.CreateTempSubdirectory("chemscale-lm-").FullName;
        try
        {
            string store = Path.Combine(folder, "data");
            MoleculeStores.Ensure(new PreparationOptions { Source = MoleculeStores.VirtualLibrary(60), Output = store, ValidationFraction = 0.2 });
            // One step of 16 molecules, or of two halves of different numbers of tokens: the same weights to rounding.
            double[] whole = WeightsAfterOneStep(store, Path.Combine(folder, "whole"), (16, 1));
            double[] halves = WeightsAfterOneStep(store, Path.Combine(folder, "halves"), (8, 2));
            Expect.Close(halves, whole, absolute: 1e-10);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void A_resumed_muP_run_ends_bit_identical_to_one_that_was_not_stopped([Values] MomentPrecision moments)
    {
        using var folder = new TemporaryFolder();
        string store = folder["data"];
        MoleculeStores.Ensure(new PreparationOptions { Source = MoleculeStores.VirtualLibrary(60), Output = store, ValidationFraction = 0.2 });
        var experiment = new Experiment
        {
            Model = ModelSpec.Of(MuP),
            Data = new DataSpec { Store = store, Subset = 40, Validation = 5 },
            Training = ToyRuns.EverythingOn with { Optimizer = new OptimizerSpec { WeightDecay = 0.1, Moments = moments } },
        };
        TrainingResult Run(string name, TrainerOptions? options = null)
        {
            using ITrainingTask task = TrainingTasks.Create(experiment);
            return Trainer.Run(experiment, task, new RunDirectory(folder[name]), options);
        }
        TrainingResult whole = Run("whole");
        Run("parts", new TrainerOptions { StopAtStep = 5 });
        TrainingResult parts = Run("parts", new TrainerOptions { Resume = true });

        Assert.That(parts with { Seconds = 0 }, Is.EqualTo(whole with { Seconds = 0 }));
        Assert.That(ToyRuns.Tensors(folder["parts"]), Is.EqualTo(ToyRuns.Tensors(folder["whole"])));
    }

    [Test]
    public void The_first_step_of_a_muP_run_moves_matrices_by_the_ratio_of_the_widths_times_the_rate()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        MoleculeStores.Ensure(new PreparationOptions { Source = MoleculeStores.VirtualLibrary(60), Output = folder["data"], ValidationFraction = 0.2 });
        ChemGptConfig config = MuP with { InitStd = 0.5 };
        var experiment = new Experiment
        {
            Model = ModelSpec.Of(config),
            Data = new DataSpec { Store = folder["data"], Subset = 40, Validation = 5 },
            Training = new TrainingSpec
            {
                Steps = 1,
                LearningRate = 0.01,
                Schedule = new ScheduleSpec { WarmupSteps = 0 },
                Optimizer = new OptimizerSpec { WeightDecay = 0, Epsilon = 1e-20 },
                Dtype = Precision.Float64,
            },
        };
        using ITrainingTask task = TrainingTasks.Create(experiment);
        using var before = new ChemGpt(config, experiment.Seed, ScalarType.Float64);
        Trainer.Run(experiment, task, new RunDirectory(folder["run"]));
        foreach (((string name, var start), (_, var end)) in before.named_parameters().Zip(task.Model.named_parameters()))
        {
            double moved = (end - start).abs().max().item<double>();
            Expect.Close(moved, name.Contains('.') && start.dim() == 2 ? 0.04 : 0.01, absolute: 1e-9, message: name);
        }
    }

    private static double[] WeightsAfterOneStep(string store, string run, (int Batch, int Accumulation) split)
    {
        using var scope = NewDisposeScope();
        var experiment = new Experiment
        {
            Model = ModelSpec.Of(new ChemGptConfig { Layers = 1, Width = 8, Heads = 2, Positions = 128, VocabularySize = 60 }),
            Data = new DataSpec { Store = store, Subset = 16, Validation = 5 },
            Training = new TrainingSpec
            {
                Steps = 1,
                BatchSize = split.Batch,
                Accumulation = split.Accumulation,
                LearningRate = 0.1,
                Schedule = new ScheduleSpec { WarmupSteps = 0 },
                // Far from AdamW's epsilon, an update is the sign of the gradient; a large epsilon keeps its size visible.
                Optimizer = new OptimizerSpec { Epsilon = 1 },
                Dtype = Precision.Float64,
            },
        };
        using ITrainingTask task = TrainingTasks.Create(experiment);
        Trainer.Run(experiment, task, new RunDirectory(run));
        return [.. task.Model.parameters().SelectMany(p => p.data<double>().ToArray())];
    }
}
