using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Studies.Grid;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Tests.Studies.Report;

/// <summary>Summaries as a study writes them, with losses of a known law, for the report's tests.</summary>
public static class SampleSummary
{
    private static readonly string[] Models = ["width 16", "width 32", "width 64", "width 128"];
    private static readonly long[] Parameters = [77_600, 302_656, 1_195_136, 4_749_568];
    private static readonly long[] Documents = [1_000, 4_000, 16_000];

    /// <summary>A realistic study: twelve configurations, one diverged, a grid of four sizes by three data sizes.</summary>
    public static StudySummary Realistic(bool synthetic = true) => new()
    {
        Title = "ChemGPT on 20,000 drug-like molecules",
        Command = "chemscale study --molecules moses.smi.gz --limit 20000 --seed 1 --out runs/moses-20k",
        Started = new DateTimeOffset(2026, 3, 14, 9, 26, 53, TimeSpan.Zero),
        Seconds = 623.4,
        Host = new HostFacts("Debian GNU/Linux 12 (bookworm), x64", ".NET 10.0.1, libtorch 2.10.0", 2, "CPU, 512-bit vectors", "0.1.0"),
        Parts = [Part("ChemGPT", synthetic)],
    };

    public static StudyPart Part(string family, bool synthetic) => new()
    {
        Family = family,
        LossUnit = "nats per token",
        ItemName = "tokens",
        Data = new DataFacts
        {
            Source = synthetic ? "virtual library, seed 1" : "moses.smi.gz",
            Synthetic = synthetic,
            Read = 20_000,
            Train = 18_012,
            Validation = 1_976,
            Refused = 12,
            RefusedByReason = new Dictionary<string, long> { ["unclosed ring"] = 4, ["more than 512 tokens"] = 8 },
            Facts = new Dictionary<string, string>
            {
                ["Vocabulary"] = "87 symbols",
                ["Grammar"] = "SELFIES 2.1",
                ["Mean tokens per molecule"] = "41.2",
            },
        },
        Selection = Selection(),
        Grid = Grid(),
        Commands =
        [
            new CommandNote("Prepare the molecules.", "chemscale prepare --molecules moses.smi.gz --limit 20000 --out runs/tokens"),
            new CommandNote("Search the hyperparameters.", "chemscale tpe --tokens runs/tokens --size 32 --epochs 10 --out runs/tpe"),
        ],
    };

    /// <summary>Losses final + drop / epoch, with a deterministic wobble.</summary>
    private static SelectionSummary Selection()
    {
        double[] rates = [3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2];
        var outcomes = new List<ConfigurationOutcome>();
        foreach (int batch in new[] { 8, 32 })
        {
            for (int r = 0; r < rates.Length; r++)
            {
                double distance = Math.Abs(r - 3.2) + (batch == 32 ? 0.4 : 0);
                double final = 1.05 + 0.055 * distance * distance, drop = 0.8 + 0.12 * distance;
                double wobble = 0.012 * Math.Sin(7 * r + batch);
                bool diverged = r == 5 && batch == 8, kept = final < 1.08 && !diverged;
                double[] losses = [.. Enumerable.Range(1, 10).Select(e => final + drop / e - drop / 10)];
                if (diverged) losses = [2.91, double.NaN];
                outcomes.Add(new ConfigurationOutcome
                {
                    Name = $"lr {rates[r]:0.#####}, batch {batch}",
                    LearningRate = rates[r],
                    BatchSize = batch,
                    IsDefault = r == 0 && batch == 8,
                    Fate = diverged ? ConfigurationFate.Diverged : kept ? ConfigurationFate.Kept : ConfigurationFate.Stopped,
                    EpochLosses = losses,
                    Estimate = diverged ? null : losses[0] + losses[1],
                    Predicted = diverged ? null : final + wobble,
                    PredictedError = diverged ? null : 0.031,
                    Final = diverged ? null : losses[^1],
                    SecondsPerEpoch = batch == 8 ? 2.31 : 1.74,
                });
            }
        }
        return new SelectionSummary
        {
            Configurations = outcomes,
            ProbeEpochs = 2,
            FullEpochs = 10,
            Validated = true,
            Selected = 3,
            R2 = 0.9931,
            Spearman = 0.982,
            Kendall = 0.927,
            R2NearBest = 0.871,
            SpearmanNearBest = 0.929,
            Regret = 0,
            ComputeSaved = 1 - (24 + 2 * 8) / 120.0,
        };
    }

    private static GridSummary Grid()
    {
        var points = new List<GridPoint>();
        foreach (long documents in Documents)
        {
            for (int n = 0; n < Parameters.Length; n++) points.Add(Point(n, documents));
        }
        return new GridSummary
        {
            Points = points,
            Fits = GridFits.Of(points, "tokens"),
            LearningRate = 1e-3,
            BatchSize = 8,
            Extrapolation = GridExtrapolation.Of(points, "tokens"),
            Allocation = Allocation(points),
            Cautions =
            [
                "3 of 12 runs were still falling at the cap on S: their losses are upper bounds.",
                "One seed: the intervals leave the spread between seeds out.",
            ],
        };
    }

    private static AllocationSummary Allocation(IReadOnlyList<GridPoint> points) => new()
    {
        Claim = GridAllocation.Of(points, "tokens", 1).Claim,
        Exponent = new ClaimEstimate("a", 4 / 7.0, 0.5, 0.6, IsExponent: true),
        Rows =
        [
            .. Enumerable.Range(0, 3).Select(i => new AllocationRow
            {
                Compute = 1e12 * Math.Pow(10, i),
                Beyond = i == 2,
                Parameters = 3e5 * Math.Pow(10, 4 * i / 7.0),
                ParametersLow = 2e5 * Math.Pow(10, 4 * i / 7.0),
                ParametersHigh = 5e5 * Math.Pow(10, 4 * i / 7.0),
                Items = 6e5 * Math.Pow(10, 3 * i / 7.0),
                Loss = 1.3 - 0.1 * i,
            }),
        ],
        Cautions = ["C = 6 N D counts one pass over the tokens."],
    };

    private static GridPoint Point(int model, long documents)
    {
        long n = Parameters[model], d = documents * 41 + 213, seen = d * (documents > 10_000 ? 4 : 12);
        double loss = 2.9 * Math.Pow(n, -0.055) * Math.Pow(d / 40_000.0, -0.065) + 0.01 * Math.Sin(5 * model + documents);
        return new GridPoint
        {
            Name = $"w{16 << model}-d{documents}",
            ModelName = Models[model],
            Parameters = n,
            Documents = documents,
            Items = d,
            ItemsSeen = seen,
            Compute = 6.0 * n * seen,
            Loss = loss,
            StillFalling = documents > 10_000 && model > 0,
            Seconds = 4 + 6e-13 * 6.0 * n * seen * 20,
            Curve =
            [
                .. Enumerable.Range(1, 12).Select(i =>
                    new CurvePoint(seen * i / 12, loss + (4.2 - loss) * (Math.Pow(i, -1.6) - Math.Pow(12, -1.6)))),
            ],
        };
    }
}
