using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;
using ChemScale.Engine.Simulation;
using ChemScale.Engine.Studies.Grid;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Tokens.Preparation;
using NUnit.Framework;

namespace ChemScale.Tests.Files;

/// <summary>Loops that may be long look whether they are still wanted: with a token that is cancelled already, none of them comes to its end.</summary>
public partial class CancellationTests
{
    private static readonly CancellationToken Cancelled = new(canceled: true);

    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [TestCase("a.xyz"), TestCase("a.npz"), TestCase("a.db")]
    public void Readers_hear_within_a_frame(string name)
    {
        const string Properties = "Properties=species:S:1:pos:R:3:forces:R:3 energy=-1";
        if (name == "a.xyz") folder.Write(name, $"1\n{Properties}\nH 0 0 0 0 0 0\n");
        if (name == "a.npz") NpzFrameWriter.Write(folder[name], [new Frame { AtomicNumbers = [1], Positions = [0, 0, 0], Energy = -1 }]);
        if (name == "a.db") Database(folder[name]);
        Assert.That(() => FrameFiles.Read(folder[name], new FrameReadOptions { Stop = Cancelled }).Count(), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(FrameFiles.Read(folder[name]).Count(), Is.EqualTo(name == "a.db" ? 20_000 : 1));
    }

    [Test]
    public void Neighbour_lists_hear_between_their_parts()
    {
        double[] positions = [.. Enumerable.Range(0, 3 * 5000).Select(i => i % 3 == 0 ? i * 0.5 : 0.1 * (i % 7))];
        Assert.That(() => NeighborLists.Build(positions, null, [false, false, false], 4, "a", Cancelled), Throws.InstanceOf<OperationCanceledException>());
        Expect.Above(NeighborLists.Build(positions, null, [false, false, false], 4).Edges, 0);
    }

    [Test]
    public void Fits_and_bootstraps_hear_between_series_and_resamples()
    {
        ScalingPoints points = new([.. Enumerable.Range(1, 8).Select(i => new ScalingPoint { N = 1000 * i * i, Loss = Math.Pow(i, -0.2) + 0.001 * (i % 3), Name = $"{i}" })]);
        ScalingFit fit = ScalingFitter.Fit(LogSumExpFamily.PowerLaw, points, Resource.Parameters);
        Assert.That(() => Bootstrap.Run(fit, new BootstrapOptions { Cancellation = Cancelled }), Throws.InstanceOf<OperationCanceledException>());
        GridPoint[] grid = [.. Enumerable.Range(1, 5).Select(i => new GridPoint
        {
            Name = $"{i}", ModelName = $"{i}", Parameters = 1000 * i, Documents = 5, Items = 10, ItemsSeen = 10, Compute = 60_000 * i, Loss = 1.0 / i, StillFalling = false, Seconds = 1, Curve = [],
        })];
        Assert.That(() => GridFits.Of(grid, "tokens", Cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(() => GridExtrapolation.Of(grid, "tokens", Cancelled), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void An_analysis_hears_between_its_frames_and_its_lags()
    {
        Frame[] frames = [.. Enumerable.Range(0, 20).Select(i => new Frame { AtomicNumbers = [18, 18], Positions = [0, 0, 0, 0, 0, 3 + 0.1 * i] })];
        using CancellationTokenSource stop = new();
        // Wanted no longer once all of them are read: what comes then is no loop over the file.
        IEnumerable<Frame> Read()
        {
            foreach (Frame frame in frames) yield return frame;
            stop.Cancel();
        }
        AnalysisOptions options = new() { File = "a" };
        Assert.That(() => TrajectoryAnalysis.Of(Read(), options with { Stop = stop.Token }), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(() => TrajectoryAnalysis.Of(frames, options with { Stop = Cancelled }), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(() => TimeCorrelation.Velocities("a", [[1, 2, 3], [1, 2, 3]], [0], 1, null, Cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(TrajectoryAnalysis.Of(frames, options).Frames, Is.EqualTo(20));
    }

    /// <summary>A verb that takes signals to itself and hands its token to nothing could not be ended before its end.</summary>
    [Test]
    public void Every_verb_hands_its_token_on_or_leaves_signals_to_the_system()
    {
        int verbs = 0;
        foreach (string file in House.SourceFiles.Under("src/Cli"))
        {
            string text = File.ReadAllText(Path.Combine(House.Repository.Root, file));
            foreach (System.Text.RegularExpressions.Match run in Run().Matches(text))
            {
                verbs++;
                // Up to the next class of the file.
                string body = text[(run.Index + run.Length)..].Split("\npublic ", 2)[0];
                Assert.That(text.Contains("HearsSignals => false", StringComparison.Ordinal) || body.Contains("stop", StringComparison.Ordinal), file);
            }
        }
        Expect.Above(verbs, 15);
    }

    [System.Text.RegularExpressions.GeneratedRegex(@"override int Run\(CancellationToken stop\)")]
    private static partial System.Text.RegularExpressions.Regex Run();

    [Test]
    public void A_line_without_an_end_is_left()
    {
        File.WriteAllText(folder["a.smi"], new string('C', 1_000_000));
        using FileReader reader = new(new PreparationOptions { Files = [folder["a.smi"]], Output = "" }, Cancelled);
        Assert.That(() => reader.Fill(new MoleculeBlock()), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void A_preparation_given_up_while_it_sorts_leaves_nothing()
    {
        File.WriteAllLines(folder["a.smi"], Enumerable.Range(1, 2000).Select(i => new string('C', i % 40 + 1) + new string('O', i % 7)));
        using CancellationTokenSource stop = new();
        var progress = new Immediate<PreparationProgress>(p =>
        {
            if (p.Stage.StartsWith("sorting", StringComparison.Ordinal)) stop.Cancel();
        });
        Assert.That(() => MoleculePreparation.Run(new PreparationOptions { Files = [folder["a.smi"]], Output = folder["store"] }, progress, stop.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Directory.Exists(folder["store"]), Is.False);
    }

    private static void Database(string path)
    {
        using Microsoft.Data.Sqlite.SqliteConnection connection = new($"Data Source={path};Pooling=False");
        connection.Open();
        using Microsoft.Data.Sqlite.SqliteCommand command = connection.CreateCommand();
        command.CommandText = """
            CREATE TABLE information (name TEXT, value TEXT);
            CREATE TABLE systems (id INTEGER PRIMARY KEY, numbers BLOB, positions BLOB, cell BLOB, pbc INTEGER, energy REAL, forces BLOB, stress BLOB,
                magmom REAL, charge REAL, data BLOB);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
                INSERT INTO systems (numbers, positions, pbc, energy, forces) SELECT x'01000000', zeroblob(24), 0, -1.5, zeroblob(24) FROM n;
            """;
        command.ExecuteNonQuery();
    }

    private sealed class Immediate<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
