using System.Diagnostics;
using System.Text;
using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Exchange;
using ChemScale.Engine.Files;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Studies.Molecules;
using ChemScale.Engine.Studies.Sweeps;
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

/// <summary>
/// Every file that the command reads, damaged: it is read, or refused by one line that says why. Nothing else is thrown, and a small file
/// takes little memory.
/// </summary>
public class FormatFuzzTests
{
    private const int Short = 250;

    // CHEMSCALE_FUZZ: fewer, or more.
    private static readonly int Long = int.TryParse(Environment.GetEnvironmentVariable("CHEMSCALE_FUZZ"), out int cases) ? cases : 1_000_000;

    // Bytes allocated for a file of a few kilobytes. The library for HDF5 makes an array as long as a field says and reads then: memory that nobody touches.
    private const long MostAllocated = 500_000_000, MostUntouched = 8_000_000_000;

    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(10);

    private static readonly FrameReadOptions ElectronVolts = new() { Energy = EnergyUnit.ElectronVolt };

    private string folder = "";

    [OneTimeSetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("chemscale-fuzz-").FullName;

    [OneTimeTearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    private static IEnumerable<string> Formats() =>
    [
        "xyz", "npz", "h5", "db", "smi", "selfies.txt", "csv", "smi.gz", "lines", "tokenizer.json", "safetensors", "state.json", "experiment.yaml", "sweep.yaml",
        "curves.csv", "points.csv", "torch.bin", "config.json", "schnetpack.json", "embeddings.npy",
    ];

    [TestCaseSource(nameof(Formats))]
    public void A_damaged_file_is_read_or_refused(string format) => Run(format, 0, Short);

    [TestCaseSource(nameof(Formats)), Category("Slow")]
    public void A_million_damaged_files_are_read_or_refused(string format) => Run(format, Short, Long);

    private void Run(string format, int first, int end)
    {
        (Mutator mutator, Action<string> read) = Of(format);
        string path = Path.Combine(folder, "case." + format);
        int refused = 0;
        for (int number = first; number < end; number++)
        {
            byte[] content = mutator.Case(number);
            File.WriteAllBytes(path, content);
            long allocated = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
            try
            {
                read(path);
            }
            catch (Exception e) when (e is InputException or SafetensorsException)
            {
                refused++;
                if (e is InputException && (e.Message.Length > OneLine.MostCharacters || e.Message.Any(char.IsControl))) Assert.Fail($"{format} {number}: message '{e.Message}'");
            }
            catch (Exception e)
            {
                Assert.Fail($"{format} {number}: {e}");
            }
            Expect.Below(GC.GetAllocatedBytesForCurrentThread() - allocated, format == "h5" ? MostUntouched : MostAllocated, $"{format} {number}");
            if (end == Long && Stopwatch.GetElapsedTime(start) > MostTime) Assert.Fail($"{format} {number}: {Stopwatch.GetElapsedTime(start)}");
        }
        // Changes after which nothing is ever read would try little.
        Expect.Below(refused, end - first);
    }

    private (Mutator Mutator, Action<string> Read) Of(string format) => format switch
    {
        "xyz" => (new Mutator([Text(Xyz()), Text("2\nprose\nC 0 0 0\nO 1 0 0\n")], "Lattice=\"", "pbc=", "Properties=", ":R:3", "energy-unit=", "virial=", "\"", "["), ReadFrames),
        "npz" => (new Mutator(Written("npz", path => NpzFrameWriter.Write(path, Frames())), "'descr'", "<U0", "|O", "(,)", "NUMPY"), ReadFrames),
        "h5" => (new Mutator(Written("h5", Hdf5), "TREE", "HEAP", "SNOD", "\u0089HDF"), ReadFrames),
        "db" => (new Mutator(Written("db", Database), "CREATE VIEW systems AS ", "GENERATED ALWAYS AS (zeroblob(900000000))", "__ndarray__", "{", "["), ReadFrames),
        "smi" => (new Mutator([Text("CCO ethanol\nc1ccccc1\nC[C@H](N)C(=O)O\n# none\n[NH4+].[Cl-]\nC%12CC%12\n")], "[", "(", "%(", "@@", "=", "#", ".", "\0"),
            path => Prepare(path, MoleculeKind.Smiles)),
        "selfies.txt" => (new Mutator([Text("[C][C][O]\n[C] [=C] [C]\n[C][Branch1_1][C][O][C]\n")], "[", "]", "[Ring1]", " ", "."), path => Prepare(path, MoleculeKind.Selfies)),
        "csv" => (new Mutator([Text("id,smiles,note\n1,CCO,\"a \"\"b\"\",\nc\"\n2,\"CCN\",x\n")], "\"", ",", "\n", "smiles", ";"), path => Prepare(path, MoleculeKind.Smiles)),
        "smi.gz" => (new Mutator([Gzip("CCO\nCCN\nc1ccccc1\n")]), path => Prepare(path, MoleculeKind.Smiles)),
        "lines" => (new Mutator([Text("CCO\nC1CC1C(=O)N\n[C][C][=O]\n[C@@Hexpl][N+expl]\n")], "[", "]", "(", ")", "%", "[Ring3]", "[Expl=Ring2]", "\r", "/C=C\\"), Convert),
        "tokenizer.json" => (new Mutator([Text(SmallTokenizer.Create().ToJson())], "{", "[", "\"vocab\":{", "null", "\\ud800", "1e999"), path => Tokenizer.Load(path)),
        "safetensors" => (new Mutator(Written("safetensors", Tensors), "\"dtype\":\"F64\"", "\"shape\":[", "__metadata__", "{", "\"data_offsets\":[0,1]"), ReadTensors),
        "state.json" => (new Mutator(
            [Text("{\"experiment\": \"a\", \"counters\": {\"step\": 3}, \"format\": 1, \"step\": 3}")], "{", "[", "null", "\"", "1e999", "\"step\": 1,"), ReadState),
        "experiment.yaml" => (new Mutator(
            [Text("model: {family: chemgpt, width: 64}\ndata: {store: runs/a, subset: 1000}\ntraining:\n  epochs: 10\n  learningRate: 5e-4\nseed: 3\n")],
            "&a ", "*a", "- ", "{", "[", ": ", "!!int ", "\t", "---\n", "? "), path => Experiment.Read(path)),
        "sweep.yaml" => (new Mutator(
            [Text("experiment:\n  model: {family: chemgpt, width: 16}\n  training: {epochs: 20}\nvary:\n  model.width: [16, 32]\nselection: {epochs: 20, probeEpochs: 4}\n")],
            "&a ", "*a", "- ", "{", "[", ": ", "runs:\n", "\t"), path => SweepFile.Read(path)),
        "curves.csv" => (new Mutator(
            [Text("run,epoch,loss\na,1,1.5\na,2,1.2\nb,1,1.7\n"), Text("epoch,a,b\n1,2.5,3\n2,,2.5\n")], "\"", ",", "step", "inf", ";"), path => CurveTable.Read(path)),
        "torch.bin" => (new Mutator([TorchFile.Of([("a", [2, 3], new float[6]), ("b", [4], new float[4])])], "ctorch\nFloatStorage\n", "cos\nsystem\n", "q\u0001", "X", "(",
            "R", "PK"), ReadTorch),
        "config.json" => (new Mutator([Text(GptNeoConfig)], "{", "[", "null", "1e999", "\"gpt_neo\"", "[[\"global\"],1]", "\"model_type\":"), ReadFolder),
        "schnetpack.json" => (new Mutator([Text(SchNetPackConfig)], "{", "[", "null", "1e999", "\"PaiNN\"", "\"format\":\"schnetpack\","), ReadFolder),
        "embeddings.npy" => (new Mutator([EmbeddingsNpy()], "'<f4'", "(3, 2)", "NUMPY", "fortran_order"), ReadEmbeddings),
        _ => (new Mutator([Text("n,d,loss\n10000,4000,1.8\n40000,4000,1.81\n")], "\"", ",", "inf", ";", "loss"), path => ScalingPoints.ReadCsv(path, "n", "d", null)),
    };

    private static void ReadFrames(string path)
    {
        foreach (Frame frame in FrameFiles.Read(path, Path.GetExtension(path) is ".h5" ? ElectronVolts : null))
            if (frame.Atoms == 0) Assert.Fail("a frame without atoms");
    }

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

    private const string GptNeoConfig = """
        {"model_type": "gpt_neo", "attention_types": [[["global", "local"], 1]], "hidden_size": 4, "num_heads": 2, "num_layers": 2, "max_position_embeddings": 8, "vocab_size": 9,
         "window_size": 4, "activation_function": "gelu_new", "eos_token_id": 50256, "intermediate_size": null, "layer_norm_epsilon": 1e-5}
        """;

    private const string SchNetPackConfig = """
        {"format": "schnetpack", "representation": "SchNet", "n_atom_basis": 4, "n_interactions": 1, "n_rbf": 4, "radial_basis": "GaussianRBF", "cutoff_fn": "CosineCutoff",
         "cutoff": 5.0, "energy_unit": "eV", "distance_unit": "Ang", "max_z": 100}
        """;

    private static void ReadTorch(string path)
    {
        using TorchArchive archive = TorchArchive.Open(path);
        foreach (string name in archive.Tensors.Keys) archive.Read(name)?.Dispose();
    }

    /// <summary>A folder whose configuration is damaged: its weights are of another shape, so it ends there at the latest.</summary>
    private void ReadFolder(string path)
    {
        string source = Path.Combine(folder, "exchanged");
        if (!Directory.Exists(source))
        {
            Directory.CreateDirectory(source);
            File.WriteAllBytes(Path.Combine(source, "pytorch_model.bin"), TorchFile.Of([("a", [1], [1f])]));
        }
        File.Copy(path, Path.Combine(source, "config.json"), overwrite: true);
        try
        {
            ModelExchange.Import(new ImportRequest { Folder = source, Output = Path.Combine(folder, "imported") }, _ => { });
        }
        catch (InputException e) when (e.Message.Contains("no tensor", StringComparison.Ordinal))
        {
            return;
        }
    }

    private static byte[] EmbeddingsNpy() =>
        [0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. Text("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }".PadRight(117) + "\n"), .. new byte[24]];

    private static void ReadEmbeddings(string path)
    {
        var facts = new EmbeddingFacts { Model = "a", Run = "b", Pool = EmbeddingPool.Last, Layer = 1, Width = 2, Molecules = 3, KeepStereo = false, Fragments = FragmentRule.Largest };
        using var vectors = new EmbeddingVectors(path, facts);
        if (vectors.Rows(0, 3).Length != 6) Assert.Fail("other numbers than it has");
    }

    private static void ReadTensors(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        foreach (string name in file.Entries.Keys) file.Read(name).Dispose();
    }

    /// <summary>A checkpoint that somebody edited, checksums and all.</summary>
    private void ReadState(string path)
    {
        string checkpoint = Path.Combine(folder, "checkpoints", "step-000000003");
        if (!Directory.Exists(checkpoint))
        {
            using Tensor a = zeros(2);
            KeyValuePair<string, Tensor>[] tensors = [KeyValuePair.Create("a", a)];
            new CheckpointStore(Path.GetDirectoryName(checkpoint)!, DiskStorage.Shared).Save(3, tensors, tensors, new System.Text.Json.Nodes.JsonObject(), () => { });
        }
        byte[] state = File.ReadAllBytes(path);
        File.WriteAllBytes(Path.Combine(checkpoint, "state.json"), state);
        string sums = Path.Combine(checkpoint, "SHA256SUMS"), line = $"{FileChecksum.Of(state)}  state.json";
        File.WriteAllLines(sums, [.. File.ReadLines(sums).Where(l => !l.EndsWith("state.json", StringComparison.Ordinal)), line]);
        CheckpointStore.Open(checkpoint);
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
