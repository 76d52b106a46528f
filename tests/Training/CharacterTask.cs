using System.Text.Json.Nodes;
using ChemScale.Engine.Training.Experiments;
using static TorchSharp.torch;

namespace ChemScale.Tests.Training;

/// <summary>A next-character model of fixed strings of differing length: micro-batches differ in their number of tokens.</summary>
internal sealed class CharacterTask : ITrainingTask
{
    private static readonly string[] Lines = ["CCO", "c1ccccc1", "CC(=O)O", "N", "CCCCCCCC", "C1CC1", "O=C=O"];

    private readonly Bigram model;
    private readonly string alphabet = new([.. string.Concat(Lines).Distinct().Order(), '$']);
    private long drawn;

    public CharacterTask(long seed = 1)
    {
        model = new Bigram(alphabet.Length);
        ToyRuns.Draw(model, seed);
    }

    public nn.Module Model => model;

    public long BatchesPerEpoch => Lines.Length;

    public string ItemName => "tokens";

    public long UniqueItems => Lines.Sum(l => l.Length + 1);

    public TrainingLoss NextLoss()
    {
        (Tensor loss, long tokens) = Loss(Lines[drawn++ % Lines.Length]);
        return new TrainingLoss(loss, tokens);
    }

    public IReadOnlyDictionary<string, double> Validate()
    {
        using IDisposable noGrad = no_grad();
        return new Dictionary<string, double> { ["val_loss"] = Lines.Average(l => Loss(l).Loss.to(ScalarType.Float64).item<double>()) };
    }

    public JsonNode SaveState() => drawn;

    public void LoadState(JsonNode state) => drawn = (long)state;

    public void Dispose() => model.Dispose();

    private (Tensor Loss, long Tokens) Loss(string line)
    {
        long[] ids = [.. $"${line}$".Select(c => (long)alphabet.IndexOf(c))];
        Tensor logits = model.forward(tensor(ids[..^1]));
        return (nn.functional.cross_entropy(logits, tensor(ids[1..])), ids.Length - 1);
    }

    private sealed class Bigram : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Embedding embedding;
        private readonly TorchSharp.Modules.Linear head;

        public Bigram(int symbols) : base("bigram")
        {
            embedding = nn.Embedding(symbols, 8);
            head = nn.Linear(8, symbols);
            RegisterComponents();
        }

        public override Tensor forward(Tensor ids) => head.forward(embedding.forward(ids));
    }
}
