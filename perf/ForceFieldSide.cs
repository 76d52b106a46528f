using System.Diagnostics;
using System.Text.Json;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Autograd;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf;

/// <summary>What one side of the comparison says of one case; the peer writes the same names. Milliseconds, MB.</summary>
/// <param name="Library">And its version.</param>
/// <param name="EnergyDifference">eV, greatest, from the energies in the case</param>
/// <param name="ForceDifference">eV/A</param>
/// <param name="Losses">Of the steps before the measured ones.</param>
/// <param name="Best">Least time of a step.</param>
/// <param name="Median">Of the steps' times.</param>
/// <param name="Processor">Least processor time of a step, over all threads, waiting ones included.</param>
/// <param name="Idle">Peak resident memory before the first step.</param>
/// <param name="Peak">Peak resident memory at the end.</param>
internal sealed record ForceFieldSide(string Library, double EnergyDifference, double ForceDifference, double[] Losses, double Best,
    double Median, double Processor, double Idle, double Peak)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static ForceFieldSide Parse(string json) => JsonSerializer.Deserialize<ForceFieldSide>(json, Json)!;

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Our side: trains on the case in this process.</summary>
    public static ForceFieldSide Measure(string casePath, int steps)
    {
        ForceFieldCase data = ForceFieldCase.Read(casePath);
        ForceFieldCase.Settings s = data.Values;
        set_num_threads(s.Threads);
        using ForceField model = data.Model();
        using GraphBatch batch = data.Batch();
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
                Tensor sum = nn.functional.mse_loss(output.Energies, data.Energies) * s.EnergyWeight
                    + nn.functional.mse_loss(output.Forces!, data.Forces) * s.ForceWeight;
                sum.backward();
                AutogradFunction.ThrowIfFailed();
                optimizer.Step(s.LearningRate);
                loss = sum.item<double>();
            }
            double elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            double spent = (Environment.CpuUsage.TotalTime - used).TotalMilliseconds;
            if (step < s.Warmup)
            {
                losses.Add(loss);
                continue;
            }
            wall.Add(elapsed);
            processor.Add(spent);
        }
        wall.Sort();
        return new ForceFieldSide("libtorch " + __version__, energy, force, [.. losses],
            wall[0], wall[wall.Count / 2], processor.Min(), idle, PeakMegabytes());
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
