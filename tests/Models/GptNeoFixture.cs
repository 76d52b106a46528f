using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.SelfAttention;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models;

/// <summary>A GPT-Neo reference file: hyperparameters, weights, padded inputs, results.</summary>
internal sealed class GptNeoFixture(string path, string weights = "w.")
{
    public NpzFile File { get; } = new(path);

    public ChemGpt Model()
    {
        var config = new ChemGptConfig
        {
            Layers = File.Int("h.num_layers"),
            Width = File.Int("h.hidden_size"),
            Heads = File.Int("h.num_heads"),
            InnerWidth = File.Int("h.intermediate_size"),
            VocabularySize = File.Int("h.vocab_size"),
            Positions = File.Int("h.max_position_embeddings"),
            Window = File.Int("h.window_size"),
            AttentionPattern = string.Concat(File.Ints("h.attention_layers").Select(l => l == 1 ? 'l' : 'g')),
        };
        var model = new ChemGpt(config, dtype: ScalarType.Float64);
        ChemGptWeights.Load(model, name => File.Has(weights + name) ? File.Tensor(weights + name) : null, path);
        return model;
    }

    /// <summary>The real tokens of each sequence; step: index into a leading axis, where there is one.</summary>
    public int[][] Sequences(int step = 0)
    {
        long[] shape = File.Shape("ids");
        int count = (int)shape[^2], width = (int)shape[^1];
        int[] ids = File.Ints("ids"), labels = File.Ints("labels");
        int origin = step * count * width;
        return [.. Enumerable.Range(0, count).Select(b =>
            Enumerable.Range(0, width).Where(t => labels[origin + b * width + t] != -100).Select(t => ids[origin + b * width + t]).ToArray())];
    }

    public (Tensor Ids, Tensor Positions, PackedRows Rows, Tensor Targets) Packed(int step = 0) => Pack(Sequences(step));

    /// <summary>(T, vocabulary): the reference's logits at real positions.</summary>
    public Tensor RealLogits()
    {
        Tensor all = File.Tensor("logits");
        int[][] sequences = Sequences();
        return cat([.. sequences.Select((s, b) => all.select(0, b).narrow(0, 0, s.Length))], 0);
    }

    public static (Tensor Ids, Tensor Positions, PackedRows Rows, Tensor Targets) Pack(int[][] sequences)
    {
        long[] ids = [.. sequences.SelectMany(s => s.Select(x => (long)x))];
        long[] positions = [.. sequences.SelectMany(s => Enumerable.Range(0, s.Length).Select(x => (long)x))];
        long[] targets = [.. sequences.SelectMany(s => s.Skip(1).Select(x => (long)x).Append(-100))];
        var starts = new int[sequences.Length + 1];
        for (int b = 0; b < sequences.Length; b++) starts[b + 1] = starts[b] + sequences[b].Length;
        return (tensor(ids), tensor(positions), new PackedRows(starts), tensor(targets));
    }
}
