using System.Text.Json.Nodes;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Training.Experiments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Training;

/// <summary>A two-layer perceptron on a fixed synthetic set, shuffled anew each epoch from the seed; dropout on demand.</summary>
internal sealed class RegressionTask : ITrainingTask
{
    private readonly Perceptron model;
    private readonly Tensor inputs;
    private readonly Tensor targets;
    private readonly int samples;
    private readonly int batchSize;
    private readonly long seed;
    private long drawn;

    public RegressionTask(long seed = 1, int batchSize = 8, int samples = 44, double dropout = 0, ScalarType dtype = ScalarType.Float32)
    {
        this.seed = seed;
        this.batchSize = batchSize;
        this.samples = samples;
        model = new Perceptron(dropout);
        ToyRuns.Draw(model, seed);
        model.to(dtype);
        using var generator = new Generator(7);
        inputs = randn([samples, 4], dtype: dtype, generator: generator);
        targets = inputs.sin().sum(1, keepdim: true);
    }

    /// <summary>Called with the number of the batch about to be drawn, from 0.</summary>
    public Action<long>? BeforeBatch { get; set; }

    /// <summary>Replaces the validation loss, by the number of the validation.</summary>
    public Func<int, double>? ValidationLoss { get; set; }

    /// <summary>Multiplies the loss of a batch.</summary>
    public Func<long, double>? LossFactor { get; set; }

    public int Validations { get; private set; }

    public nn.Module Model => model;

    public long BatchesPerEpoch => (samples + batchSize - 1) / batchSize;

    public string ItemName => "frames";

    public long UniqueItems => samples;

    public IReadOnlyDictionary<string, byte[]> ModelFiles { get; } = new Dictionary<string,
        byte[]>
    { ["inputs.json"] = "{\"inputs\":4}"u8.ToArray(), ["outputs.json"] = "{\"outputs\":1}"u8.ToArray() };

    public TrainingLoss NextLoss()
    {
        BeforeBatch?.Invoke(drawn);
        long[] rows = Rows(drawn);
        Tensor index = tensor(rows);
        Tensor loss = nn.functional.mse_loss(model.forward(inputs.index_select(0, index)), targets.index_select(0, index));
        if (LossFactor is { } factor) loss *= factor(drawn);
        drawn++;
        return new TrainingLoss(loss, rows.Length, new Dictionary<string, double> { ["rows"] = rows.Length });
    }

    public IReadOnlyDictionary<string, double> Validate()
    {
        using IDisposable noGrad = no_grad();
        double loss = nn.functional.mse_loss(model.forward(inputs), targets).to(ScalarType.Float64).item<double>();
        if (ValidationLoss is { } given) loss = given(Validations);
        Validations++;
        return new Dictionary<string, double> { ["val_loss"] = loss, ["val_rows"] = samples };
    }

    public JsonNode SaveState() => new JsonObject { ["drawn"] = drawn };

    public void LoadState(JsonNode state) => drawn = (long)state["drawn"]!;

    public void Dispose()
    {
        model.Dispose();
        inputs.Dispose();
        targets.Dispose();
    }

    private long[] Rows(long batch)
    {
        long epoch = batch / BatchesPerEpoch;
        long[] order = [.. Enumerable.Range(0, samples).Select(i => (long)i)];
        new Random((int)(seed * 1000 + epoch)).Shuffle(order);
        int start = (int)(batch % BatchesPerEpoch) * batchSize;
        return order[start..Math.Min(samples, start + batchSize)];
    }

    private sealed class Perceptron : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear first = nn.Linear(4, 16);
        private readonly double dropout;
        private readonly TorchSharp.Modules.Linear second = nn.Linear(16, 1);

        public Perceptron(double dropout) : base("perceptron")
        {
            this.dropout = dropout;
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => second.forward(Dropped(first.forward(x).tanh()));

        private Tensor Dropped(Tensor x) => dropout == 0 || !training ? x
            : x * (rand(x.shape, x.dtype, generator: RunScope.Current.Random) >= dropout).to(x.dtype) / (1 - dropout);
    }
}
