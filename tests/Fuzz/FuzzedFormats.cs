using System.Text;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Estimation.Energy;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Conversion;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Tests.Exchange;
using ChemScale.Tests.Tokens;
using Microsoft.Data.Sqlite;
using NUnit.Framework;
using PureHDF;
using static TorchSharp.torch;

namespace ChemScale.Tests.Fuzz;

/// <summary>The files that the command reads: sound ones, the words they are damaged with, and how each is read.</summary>
/// <param name="folder">Of its own.</param>
internal sealed partial class FuzzedFormats(string folder) : IDisposable
{
    private static readonly string[] Json = ["{", "[", "null", "\"", "1e999", "\\ud800", "\"step\": 1,", "-1", "\"\""];

    private ToyState? toy;

    private static readonly FrameReadOptions ElectronVolts = new() { Energy = EnergyUnit.ElectronVolt };

    /// <summary>Those that take a few milliseconds a case at most.</summary>
    public static IEnumerable<string> Quick() => All().Where(format => format is not "state.json");

    public static IEnumerable<string> All() =>
    [
        "xyz", "prepared.xyz", "npz", "h5", "db", "split.npz", "smi", "selfies.txt", "csv", "smi.gz", "lines", "tokenizer.json", "safetensors", "checkpoint.json", "state.json",
        "experiment.yaml", "sweep.yaml", "plan.json", "selection.json", "curves.csv", "metrics.csv", "power.csv", "points.csv", "ipi",
        "torch.bin", "config.json", "schnetpack.json", "embeddings.npy", "store.json", "tokens", "token offsets", "frames.json", "frame records", "frame offsets", "frame elements",
    ];

    /// <exception cref="ArgumentException">None of <see cref="All"/>.</exception>
    public (Mutator Mutator, Action<string> Read) Of(string format) => format switch
    {
        "xyz" => (new Mutator([Text(Xyz()), Text("2\nprose\nC 0 0 0\nO 1 0 0\n")], "Lattice=\"", "pbc=", "Properties=", ":R:3", "energy-unit=", "virial=", "\"", "["), ReadFrames),
        "prepared.xyz" => (new Mutator([Text(Xyz()), Text(Labelled)], "1e300", "-1e300", "1e30", "energy=", "config_type=isolated ", "charge=", "stress=", "nan", "inf"),
            PrepareFrames),
        "npz" => (new Mutator(Written("npz", path => NpzFrameWriter.Write(path, Frames())), "'descr'", "<U0", "|O", "(,)", "NUMPY"), ReadFrames),
        "h5" => (new Mutator(Written("h5", Hdf5), "TREE", "HEAP", "SNOD", "\u0089HDF"), ReadFrames),
        "db" => (new Mutator(Written("db", Database), "CREATE VIEW systems AS ", "GENERATED ALWAYS AS (zeroblob(900000000))", "__ndarray__", "{", "["), ReadFrames),
        "split.npz" => (new Mutator(Written("npz", Split), "'descr'", "<i8", "True", "(,)"), path => new SplitIndices(path).Check(1000)),
        "smi" => (new Mutator([Text("CCO ethanol\nc1ccccc1\nC[C@H](N)C(=O)O\n# none\n[NH4+].[Cl-]\nC%12CC%12\n")], "[", "(", "%(", "@@", "=", "#", ".", "\0"),
            path => Prepare(path, MoleculeKind.Smiles)),
        "selfies.txt" => (new Mutator([Text("[C][C][O]\n[C] [=C] [C]\n[C][Branch1_1][C][O][C]\n")], "[", "]", "[Ring1]", " ", "."), path => Prepare(path, MoleculeKind.Selfies)),
        "csv" => (new Mutator([Text("id,smiles,note\n1,CCO,\"a \"\"b\"\",\nc\"\n2,\"CCN\",x\n")], "\"", ",", "\n", "smiles", ";"), path => Prepare(path, MoleculeKind.Smiles)),
        "smi.gz" => (new Mutator([Gzip("CCO\nCCN\nc1ccccc1\n")]), path => Prepare(path, MoleculeKind.Smiles)),
        "lines" => (new Mutator([Text("CCO\nC1CC1C(=O)N\n[C][C][=O]\n[C@@Hexpl][N+expl]\n")], "[", "]", "(", ")", "%", "[Ring3]", "[Expl=Ring2]", "\r", "/C=C\\"), Convert),
        "tokenizer.json" => (new Mutator([Text(SmallTokenizer.Create().ToJson())], "{", "[", "\"vocab\":{", "null", "\\ud800", "1e999"), path => Tokenizer.Load(path)),
        "safetensors" => (new Mutator(Written("safetensors", Tensors), "\"dtype\":\"F64\"", "\"shape\":[", "__metadata__", "{", "\"data_offsets\":[0,1]"), ReadTensors),
        "checkpoint.json" => (new Mutator(
            [Text("{\"experiment\": \"a\", \"counters\": {\"step\": 3}, \"format\": 1, \"step\": 3}")], Json), ReadCheckpoint),
        "state.json" => (new Mutator([State()], Json), ReadState),
        "experiment.yaml" => (new Mutator(
            [Text("model: {family: chemgpt, width: 64}\ndata: {store: runs/a, subset: 1000}\ntraining:\n  epochs: 10\n  learningRate: 5e-4\nseed: 3\n")],
            "&a ", "*a", "- ", "{", "[", ": ", "!!int ", "\t", "---\n", "? "), path => Experiment.Read(path)),
        "sweep.yaml" => (new Mutator(
            [Text("experiment:\n  model: {family: chemgpt, width: 16}\n  training: {epochs: 20}\nvary:\n  model.width: [16, 32]\nselection: {epochs: 20, probeEpochs: 4}\n")],
            "&a ", "*a", "- ", "{", "[", ": ", "runs:\n", "\t"), ReadSweep),
        "plan.json" => (new Mutator([Plan("plan.json")], Json), path => ReadPlan(path, "plan.json")),
        "selection.json" => (new Mutator([Plan("selection.json")], Json), path => ReadPlan(path, "selection.json")),
        "curves.csv" => (new Mutator(
            [Text("run,epoch,loss\na,1,1.5\na,2,1.2\nb,1,1.7\n"), Text("epoch,a,b\n1,2.5,3\n2,,2.5\n")], "\"", ",", "step", "inf", ";"), path => CurveTable.Read(path)),
        "metrics.csv" => (new Mutator(
            [Text("epoch,step,train_loss_step,train_loss_epoch,val_loss\n0,1,2.5,,\n0,2,2.25,2.4,2.3\n1,3,2,,\n1,4,1.75,1.9,1.8\n")], "\"", ",", "inf", "nan", "\r"),
            path => LossCurve.ReadCsv(path)),
        "power.csv" => (new Mutator(
            [Text("timestamp, power.draw [W]\n2024/05/01 10:00:00.000, 250.5 W\n2024/05/01 10:00:01.000, 251 W\n"), Text("time,watts,device\n0,10,a\n1,11,a\n")], "\"", ",", "inf", " W"),
            path => PowerLog.Read(path)),
        "points.csv" => (new Mutator([Text("n,d,loss\n10000,4000,1.8\n40000,4000,1.81\n")], "\"", ",", "inf", ";", "loss"), path => ScalingPoints.ReadCsv(path, "n", "d", null)),
        "torch.bin" => (new Mutator([TorchFile.Of([("a", [2, 3], new float[6]), ("b", [4], new float[4])])], "ctorch\nFloatStorage\n", "cos\nsystem\n", "q\u0001", "X", "(",
            "R", "PK"), ReadTorch),
        "config.json" => (new Mutator([Text(GptNeoConfig)], "{", "[", "null", "1e999", "\"gpt_neo\"", "[[\"global\"],1]", "\"model_type\":"), ReadFolder),
        "schnetpack.json" => (new Mutator([Text(SchNetPackConfig)], "{", "[", "null", "1e999", "\"PaiNN\"", "\"format\":\"schnetpack\","), ReadFolder),
        "embeddings.npy" => (new Mutator([EmbeddingsNpy()], "'<f4'", "(3, 2)", "NUMPY", "fortran_order"), ReadEmbeddings),
        "ipi" => (new Mutator([Session()], "STATUS      ", "POSDATA     ", "GETFORCE    ", "INIT        ", "EXIT        "), Answer),
        "store.json" => (new Mutator([OfStore(TokenFolder(), "store.json")], Json), path => ReadTokens(path, "store.json")),
        "tokens" => (new Mutator([OfStore(TokenFolder(), "train.tokens")]), path => ReadTokens(path, "train.tokens")),
        "token offsets" => (new Mutator([OfStore(TokenFolder(), "train.offsets")]), path => ReadTokens(path, "train.offsets")),
        "frames.json" => (new Mutator([OfStore(FrameFolder(), "frames.json")], Json), path => ReadFrameStore(path, "frames.json")),
        "frame records" => (new Mutator([OfStore(FrameFolder(), "train.records")]), path => ReadFrameStore(path, "train.records")),
        "frame offsets" => (new Mutator([OfStore(FrameFolder(), "train.offsets")]), path => ReadFrameStore(path, "train.offsets")),
        "frame elements" => (new Mutator([OfStore(FrameFolder(), "train.elements")]), path => ReadFrameStore(path, "train.elements")),
        _ => throw new ArgumentException(format, nameof(format)),
    };

    public void Dispose() => toy?.Dispose();

    private static void ReadFrames(string path)
    {
        foreach (Frame frame in FrameFiles.Read(path, Path.GetExtension(path) is ".h5" ? ElectronVolts : null))
            if (frame.Atoms == 0) Assert.Fail("a frame without atoms");
    }

    private const string Labelled = """
        2
        Properties=species:S:1:pos:R:3:forces:R:3 energy=-13.5 config_type=a
        O 0 0 0 0 0 0.1
        H 0 0 0.97 0 0 -0.1
        1
        Properties=species:S:1:pos:R:3:forces:R:3 energy=-0.5 config_type=isolated
        H 0 0 0 0 0 0

        """;

    /// <summary>To a store: with its audit, its statistics and its manifest.</summary>
    private void PrepareFrames(string path) => FramePreparer.Run(
        new FramePreparation { Files = [path], Output = Path.Combine(folder, "frames prepared"), Overwrite = true, ValidationFraction = 0, Missing = MissingLabels.Keep });

    // Reading and encoding as `prepare` does, without the store behind it.
    private static void Prepare(string path, MoleculeKind kind)
    {
        PreparationOptions options = new() { Files = [path], Kind = kind, Output = "" };
        using FileReader reader = new(options);
        IMoleculeEncoder encoder = kind == MoleculeKind.Selfies ? new SelfiesEncoder() : new SmilesEncoder(options, SelfiesGrammar.V1);
        MoleculePlacer placer = new(new SplitRule(0, 0, SplitKind.Molecule), SelfiesCodec.Create(SelfiesGrammar.V1));
        BlockEncoder blocks = new(reader, encoder, new GrowingVocabulary().Assigner(), placer, options.MaximumTokens);
        MoleculeBlock block = new();
        while (reader.Fill(block))
        {
            blocks.Encode(block);
            block.Clear();
        }
    }

    private static void Convert(string path)
    {
        byte[] content = File.ReadAllBytes(path);
        foreach (SelfiesGrammar grammar in (SelfiesGrammar[])[SelfiesGrammar.V1, SelfiesGrammar.V2])
        {
            foreach ((LineForm from, LineForm to) in ((LineForm, LineForm)[])[(LineForm.Smiles, LineForm.Selfies), (LineForm.Selfies, LineForm.Smiles)])
                LineConversion.Run(new MemoryStream(content), Stream.Null, new ConversionOptions { From = from, To = to, Grammar = grammar, Threads = 1 }, CancellationToken.None);
        }
    }

    private static void ReadTensors(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        foreach (string name in file.Entries.Keys) file.Read(name).Dispose();
    }

    private static void Split(string path)
    {
        using var npz = new NpzWriter(path);
        npz.Add("train_idx", (double[])[0, 2, 3], 3);
        npz.Add("val_idx", (double[])[1, 4], 2);
        npz.Complete();
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Gzip(string text) => Tests.Tokens.Preparation.Corpus.Gzip(Text(text));

    private byte[][] Written(string extension, Action<string> write)
    {
        string path = Path.Combine(folder, "seed." + extension);
        write(path);
        return [File.ReadAllBytes(path)];
    }

    private static Frame[] Frames() =>
    [
        new() { AtomicNumbers = [1, 8], Positions = [0, 0, 0, 0, 0, 0.97], Energy = -3.3, Forces = [0, 0, 1, 0, 0, -1] },
        new()
        {
            AtomicNumbers = [29],
            Positions = [0, 0, 0],
            Cell = [4, 0, 0, 0, 4, 0, 1, 0, 4],
            Periodic = [true, true, false],
            Energy = 1,
            Stress = [1, 2, 3, 2, 5, 6, 3, 6, 9],
            Charge = 1,
        },
    ];

    private static string Xyz()
    {
        StringWriter text = new();
        ExtXyzWriter writer = new(text);
        foreach (Frame frame in Frames()) writer.Write(frame);
        return text.ToString();
    }

    private static void Hdf5(string path) => new H5File
    {
        ["gdb"] = new H5Group
        {
            ["a"] = new H5Group { ["coordinates"] = new double[1, 2, 3], ["species"] = new[] { "H", "O" }, ["energies"] = new[] { 1.0 }, ["forces"] = new double[1, 2, 3] },
        },
    }.Write(path);

    private static void Database(string path)
    {
        File.Delete(path);
        using SqliteConnection connection = new($"Data Source={path};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = """
            PRAGMA page_size = 512;
            CREATE TABLE information (name TEXT, value TEXT);
            INSERT INTO information VALUES ('metadata', '{"_distance_unit": "Ang", "_property_unit_dict": {"energy": "eV", "forces": "eV/Ang"}}');
            CREATE TABLE systems (id INTEGER PRIMARY KEY, numbers BLOB, positions BLOB, cell BLOB, pbc INTEGER, energy REAL, forces BLOB, stress BLOB,
                magmom REAL, charge REAL, data BLOB);
            INSERT INTO systems (numbers, positions, cell, pbc, energy, forces, charge) VALUES (x'01000000', zeroblob(24), zeroblob(72), 0, -1.5, zeroblob(24), 0.5);
            INSERT INTO systems (numbers, positions, pbc, data) VALUES (x'08000000', zeroblob(24), 0,
                '{"energy": [-2.5], "forces": {"__ndarray__": [[1, 3], "float64", [0, 0, 1]]}}');
            """;
        command.ExecuteNonQuery();
    }

    private static void Tensors(string path)
    {
        using Tensor a = arange(6, dtype: ScalarType.Float64).reshape(2, 3), b = zeros(4, dtype: ScalarType.Float32);
        using FileStream stream = File.Create(path);
        SafetensorsWriter.Write(stream, [KeyValuePair.Create("a", a), KeyValuePair.Create("b", b)]);
    }
}
