using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Models;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Operators.Autograd;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using CommandLine;
using static TorchSharp.torch;

namespace ChemScale.Perf;

/// <summary>
/// Training steps of ChemGPT, optimizer included: useful tokens per second, beside the matrix-product rate of the model's own shapes and
/// beside eager PyTorch (peers/chemgpt_torch.py), all in one run.
/// </summary>
internal static class ChemGptBenchmark
{
    private sealed class Options
    {
        [Option("layers", Default = 24)]
        public int Layers { get; set; }

        [Option("width", Default = 128)]
        public int Width { get; set; }

        [Option("heads", Default = 16)]
        public int Heads { get; set; }

        [Option("batch", Default = 16, HelpText = "Molecules a step.")]
        public int Batch { get; set; }

        [Option("steps", Default = 20)]
        public int Steps { get; set; }

        [Option("threads", Default = 0)]
        public int Threads { get; set; }

        [Option("rounds", Default = 3, HelpText = "Both sides in turn, this many times; the best of each counts.")]
        public int Rounds { get; set; }

        [Option("peer", HelpText = "Python with torch, to run the peer with.")]
        public string? Peer { get; set; }

        [Option("mode", Default = "auto", HelpText = "auto, composed, host or kernels.")]
        public string Mode { get; set; } = "auto";
    }

    public static void Run(string[] args) => Parser.Default.ParseArguments<Options>(args).WithParsed(Run);

    private static void Run(Options o)
    {
        OperatorModes.Current = OperatorModes.Parse(o.Mode);
        if (o.Threads > 0) set_num_threads(o.Threads);
        var config = new ChemGptConfig { Layers = o.Layers, Width = o.Width, Heads = o.Heads };
        int[] lengths = Lengths(o.Batch);
        double ours = 0, median = 0, matrix = 0;
        var peer = new Dictionary<string, double>();
        for (int round = 0; round < o.Rounds; round++)
        {
            (double best, double middle) = Train(config, lengths, o.Steps);
            ours = Math.Max(ours, best);
            median = Math.Max(median, middle);
            matrix = Math.Max(matrix, MatrixRate(config, lengths.Sum()));
            if (o.Peer is null) continue;
            foreach ((string form, JsonNode? rate) in Peer(o, config, lengths))
                if (form is "packed" or "padded") peer[form] = Math.Max(peer.GetValueOrDefault(form), (double)rate!);
        }
        double achieved = 6.0 * config.NonEmbeddingParameters * ours;
        Console.WriteLine($"ChemGPT {o.Layers} layers, width {o.Width}, {o.Heads} heads, batch {o.Batch} molecules ({lengths.Sum()} tokens), "
            + $"{get_num_threads()} threads, {o.Mode}");
        Console.WriteLine($"  ours    {ours,10:N0} tokens/s (median step {median:N0}); 6N x tokens/s = {achieved / 1e9:F1} GF/s = "
            + $"{achieved / matrix:P1} of the matrix products' {matrix / 1e9:F1} GF/s");
        foreach ((string form, double rate) in peer) Console.WriteLine($"  {form,-7} {rate,10:N0} tokens/s in eager PyTorch: ours is {ours / rate:F2} times that");
    }

    private static (double Best, double Median) Train(ChemGptConfig config, int[] lengths, int steps)
    {
        using var model = new ChemGpt(config, seed: 1);
        using var optimizer = new AdamW(model.named_parameters().Select(p => (p.name, p.parameter)), new OptimizerSpec());
        int[] starts = new int[lengths.Length + 1];
        for (int b = 0; b < lengths.Length; b++) starts[b + 1] = starts[b] + lengths[b];
        using var rows = new PackedRows(starts);
        using Tensor ids = randint(5, config.VocabularySize, rows.Tokens, dtype: ScalarType.Int64);
        using Tensor positions = tensor(lengths.SelectMany(n => Enumerable.Range(0, n)).Select(t => (long)t).ToArray());
        using Tensor targets = cat([ids.narrow(0, 1, rows.Tokens - 1), ids.narrow(0, 0, 1)]);
        foreach (int end in starts.Skip(1)) targets.narrow(0, end - 1, 1).fill_(-100);

        var seconds = new List<double>();
        for (int step = -3; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            long start = Stopwatch.GetTimestamp();
            Tensor loss = model.Loss(ids, positions, rows, targets);
            loss.backward();
            AutogradFunction.ThrowIfFailed();
            optimizer.Step(2e-5);
            foreach (var p in model.parameters()) p.grad?.zero_();
            if (step >= 0) seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        seconds.Sort();
        return (rows.Tokens / seconds[0], rows.Tokens / seconds[seconds.Count / 2]);
    }

    /// <summary>FLOP/s of the forward and backward products of one layer at its own shapes, nothing else: the best of several passes.</summary>
    private static double MatrixRate(ChemGptConfig config, int tokens)
    {
        int h = config.Width;
        double seconds = 0, flops = 0;
        using var gradients = no_grad();
        foreach ((int inner, int outer) in (ReadOnlySpan<(int, int)>)[(h, 3 * h), (h, h), (h, 4 * h), (4 * h, h)])
        {
            using var scope = NewDisposeScope();
            Tensor x = randn(tokens, inner), w = randn(outer, inner), g = randn(tokens, outer), wt = w.t(), gt = g.t();
            double best = double.MaxValue;
            for (int i = 0; i < 60; i++)
            {
                long start = Stopwatch.GetTimestamp();
                using Tensor a = mm(x, wt), b = mm(g, w), c = mm(gt, x);
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
            seconds += best;
            flops += 6.0 * tokens * inner * outer;
        }
        return flops / seconds;
    }

    private static JsonObject Peer(Options o, ChemGptConfig config, int[] lengths)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "peers", "chemgpt_torch.py");
        using Process process = Process.Start(new ProcessStartInfo(o.Peer!, [script]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        process.StandardInput.Write(JsonSerializer.Serialize(new
        {
            layers = config.Layers,
            width = config.Width,
            heads = config.Heads,
            vocabulary = config.VocabularySize,
            threads = get_num_threads(),
            steps = o.Steps,
            forms = new[] { "packed", "padded" },
            lengths,
        }));
        process.StandardInput.Close();
        string answer = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"the peer exits {process.ExitCode}");
        return JsonNode.Parse(answer)!.AsObject();
    }

    /// <summary>Molecules of 37 tokens on average, as MOSES has with [CLS] and [SEP].</summary>
    private static int[] Lengths(int batch)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, batch).Select(_ => random.Next(27, 49))];
    }
}
