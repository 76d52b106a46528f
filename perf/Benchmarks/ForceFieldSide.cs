using System.Diagnostics;
using System.Text.Json.Nodes;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Perf.Measuring;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>
/// Our side of the comparison on one case, in a process of its own. Its record says besides, as the peer's does: differences from the
/// energies (eV) and forces (eV/A) of the case, losses of the steps before the measured ones, least processor time of a step (ms, over all
/// threads, waiting ones included), peak resident memory before the first step and at the end (MB).
/// </summary>
internal static class ForceFieldSide
{
    public static Measurement Measure(string casePath, int steps, Device device)
    {
        ForceFieldCase data = ForceFieldCase.Read(casePath);
        ForceFieldCase.Settings s = data.Values;
        set_num_threads(s.Threads);
        using ForceField model = data.Model(device);
        using GraphBatch batch = data.Batch(device);
        using Tensor energies = data.Energies.to(device), forces = data.Forces.to(device);
        (double energy, double force) = Compare(data, model, batch);
        double idle = PeakMegabytes();
        using var optimizer = new AdamW(
            model.named_parameters().Select(p => (p.name, p.parameter)), new OptimizerSpec { WeightDecay = s.WeightDecay });
        List<double> losses = [], wall = [], processor = [];
        for (int step = 0; step < s.Warmup + steps; step++)
        {
            TimeSpan used = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            double loss;
            using (DisposeScope scope = NewDisposeScope())
            {
                foreach (var parameter in model.parameters()) parameter.grad = null;
                ForceFieldOutput output = model.Evaluate(batch, createGraph: true);
                Tensor sum = nn.functional.mse_loss(output.Energies, energies) * s.EnergyWeight
                    + nn.functional.mse_loss(output.Forces!, forces) * s.ForceWeight;
                Gradients.Backward(sum);
                optimizer.Step(s.LearningRate);
                loss = sum.item<double>();
                if (device.type == DeviceType.CUDA) cuda.synchronize(device);
            }
            double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            double spent = (Environment.CpuUsage.TotalTime - used).TotalMilliseconds;
            if (step < s.Warmup)
            {
                losses.Add(loss);
                continue;
            }
            wall.Add(elapsed);
            processor.Add(spent);
        }
        return new Measurement
        {
            Benchmark = "forcefield",
            Parameters = [],
            Side = "ours",
            Pass = Pass.Step,
            Seconds = Summary.Of(wall),
            More = new JsonObject
            {
                ["energyDifference"] = energy,
                ["forceDifference"] = force,
                ["losses"] = new JsonArray([.. losses.Select(l => (JsonNode)l)]),
                ["processor"] = processor.Min(),
                ["idle"] = idle,
                ["peak"] = PeakMegabytes(),
            },
        };
    }

    private static (double Energy, double Force) Compare(ForceFieldCase data, ForceField model, GraphBatch batch)
    {
        using DisposeScope scope = NewDisposeScope();
        return data.Differences(model.Evaluate(batch));
    }

    private static double PeakMegabytes()
    {
        using Process self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64 / 1e6;
    }
}
