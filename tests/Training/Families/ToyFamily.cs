using System.Text.Json.Nodes;
using ChemScale.Engine.Training.Experiments;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Tests.Training.Families;

/// <summary>Shape of a sum of cosines.</summary>
public sealed record ToyConfig
{
    public int Width { get; init; } = 2;
}

/// <summary>A family that the engine has never heard of: sums of cosines fitted to numbers. One class, its model and its data beside it.</summary>
internal sealed class ToyFamily : ModelFamily
{
    public override string Name => "toy";

    public override string Title => "Toy";

    public override Type ConfigType => typeof(ToyConfig);

    public override DataKind Data { get; } = new ToyData();

    public override string ItemName => "numbers";

    public override string LossUnit(TrainingSpec training) => "squared numbers";

    public override void Check(object config, string place)
    {
        if (Of(config).Width < 1) throw new ChemScale.Engine.InputException($"{place}: model.width", $"{Of(config).Width}", "1 or more");
    }

    public override long NonEmbeddingParameters(object config) => Of(config).Width;

    public override TrainingCost Cost(object config, TrainingSpec training, string store) => new(6 * Of(config).Width, 1);

    public override ITrainingTask CreateTask(Experiment experiment, CancellationToken stop) => new ToyTask(experiment, ToyData.Read(experiment.Data.Store));

    public override object Shaped(object config, ModelShape shape) => Of(config) with { Width = shape.Width };

    public override StudyOutline Study(bool own) => new()
    {
        Basis = Defaults with { Training = new TrainingSpec { Epochs = 1, Threads = 1, Schedule = new ScheduleSpec { WarmupSteps = 0 } } },
        Start = (1e-2, 8),
        SearchShape = new(1, 2),
        Shapes = [new(1, 1), new(1, 2), new(1, 4)],
        LearningRates = [1e-2, 1e-1],
        BatchSizes = [8],
        Validation = 8,
        SearchDocuments = 16,
        SearchEpochs = 3,
        ProbeEpochs = 1,
        Subsets = [8, 16, 32],
        MaximumSeen = 64,
    };

    private static ToyConfig Of(object config) => (ToyConfig)config;

    /// <summary>Lines of numbers; the last eight validate.</summary>
    private sealed class ToyData : DataKind
    {
        private const string FileName = "numbers.txt";

        public override string DocumentName => "numbers";

        public static double[] Read(string folder) => [.. File.ReadAllLines(Path.Combine(folder, FileName)).Select(double.Parse)];

        public override bool Holds(string folder) => File.Exists(Path.Combine(folder, FileName));

        public override IReadOnlyList<(string Key, bool Given)> Particulars(DataSource source) => [("source.numbers", false)];

        public override string NameOf(DataSource source) => "numbers";

        public override DataFacts Prepare(DataSource source, string folder, DataObserver observer, CancellationToken stop = default)
        {
            Directory.CreateDirectory(folder);
            File.WriteAllLines(Path.Combine(folder, FileName), Enumerable.Range(0, 40).Select(i => $"{i / 10.0}"));
            return Facts(folder);
        }

        public override DataFacts Facts(string folder) => new()
        {
            Source = "numbers",
            Synthetic = true,
            Read = Read(folder).Length,
            Train = Read(folder).Length - 8,
            Validation = 8,
            Refused = 0,
        };

        public override DataSpec Describe(DataSpec data) => data with { Fingerprint = $"{Read(data.Store).Length} numbers", Grammar = null };
    }

    private sealed class ToyTask(Experiment experiment, double[] numbers) : ITrainingTask
    {
        private readonly Cosines model = new(Of(experiment.Model.Config).Width, experiment.Seed);
        private readonly double[] train = [.. numbers[..^8].Take((int)(experiment.Data.Subset ?? numbers.Length))];
        private long drawn;

        public nn.Module Model => model;

        public long BatchesPerEpoch => (train.Length + experiment.Training.BatchSize - 1) / experiment.Training.BatchSize;

        public string ItemName => "numbers";

        public long UniqueItems => train.Length;

        public TrainingLoss NextLoss()
        {
            int size = experiment.Training.BatchSize, first = (int)(drawn++ % BatchesPerEpoch) * size;
            double[] batch = train[first..Math.Min(train.Length, first + size)];
            return new TrainingLoss(model.Loss(batch), batch.Length);
        }

        public IReadOnlyDictionary<string, double> Validate()
        {
            using IDisposable gradients = no_grad();
            using Tensor loss = model.Loss(numbers[^8..]);
            return new Dictionary<string, double> { ["val_loss"] = loss.to(ScalarType.Float64).item<double>() };
        }

        public JsonNode SaveState() => drawn;

        public void LoadState(JsonNode state) => drawn = (long)state;

        public void Dispose() => model.Dispose();
    }

    private sealed class Cosines : nn.Module
    {
        private readonly Parameter amplitudes;

        public Cosines(int width, long seed)
            : base("cosines")
        {
            using var generator = new Generator((ulong)seed);
            amplitudes = new Parameter(randn(width, generator: generator));
            register_parameter("amplitudes", amplitudes);
        }

        public Tensor Loss(double[] numbers)
        {
            Tensor x = tensor(numbers, ScalarType.Float32).unsqueeze(1), k = arange(1, amplitudes.numel() + 1, ScalarType.Float32);
            Tensor wanted = x.squeeze(1).sin() + 0.3;
            return ((x * k).cos().matmul(amplitudes) - wanted).pow(2).mean();
        }
    }
}
