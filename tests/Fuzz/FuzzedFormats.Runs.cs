using System.Text.Json.Nodes;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Files;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Simulation.Ipi;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Engine.Training.Runs;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Fuzz;

/// <summary>What is read as a folder, or from another program.</summary>
internal sealed partial class FuzzedFormats
{
    /// <summary>As far as runs to plan: what a value stands for may be long.</summary>
    private void ReadSweep(string path)
    {
        SweepFile sweep = SweepFile.Read(path);
        sweep.Plan(sweep.Experiment, Path.Combine(folder, "planned"));
    }

    /// <summary>A file of a plan, without its seal as an earlier version wrote it.</summary>
    private byte[] Plan(string name)
    {
        string directory = Path.Combine(folder, "sweep");
        Experiment experiment = Training.ToyRuns.Of(new TrainingSpec { Steps = 3 });
        var plan = new SweepPlan(directory, [.. Enumerable.Range(1, 3).Select(i => new PlannedRun($"run-{i}", experiment with { Seed = i }, Path.Combine(directory, $"run-{i}")))],
            new SelectionSpec { Epochs = 4, ProbeEpochs = 1 }, new Configuration(1e-3, 8));
        plan.Write();
        plan.Keep([0, 2]);
        string path = Path.Combine(directory, "plan", name);
        return Seal.OpenJson(File.ReadAllBytes(path), path, out _).ToArray();
    }

    private void ReadPlan(string path, string name)
    {
        string directory = Path.Combine(folder, "sweep"), file = Path.Combine(directory, "plan", name);
        byte[] before = File.ReadAllBytes(file);
        try
        {
            File.Copy(path, file, overwrite: true);
            var plan = SweepPlan.Read(directory);
            if (plan.Runs.Any(r => Path.GetDirectoryName(r.Directory) != directory)) Assert.Fail("a run elsewhere");
            foreach (int kept in plan.Kept ?? [])
                if (kept < 0 || kept >= plan.Runs.Count) Assert.Fail($"run {kept} of {plan.Runs.Count} is kept");
        }
        finally
        {
            File.WriteAllBytes(file, before);
        }
    }

    private static byte[] Session()
    {
        using var stream = new MemoryStream();
        void Send(string header) => stream.Write(Text(header.PadRight(12)));
        void Numbers<T>(params T[] values) where T : unmanaged => stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
        Send("STATUS");
        Send("INIT");
        Numbers(0, 3);
        stream.Write(Text("abc"));
        Send("POSDATA");
        Numbers<double>(20, 0, 0, 0, 20, 0, 0, 0, 20);
        Numbers(new double[9]);
        Numbers(4);
        Numbers<double>(0, 0, 0, 0, 0, 7, 0, 7, 0, 7, 0, 0);
        Send("STATUS");
        Send("GETFORCE");
        Send("EXIT");
        return stream.ToArray();
    }

    private static void Answer(string path)
    {
        Frame template = Tests.Simulation.LennardJones.Crystal(1);
        using var server = new DuplexStream(File.ReadAllBytes(path));
        new IpiClient(Tests.Simulation.LennardJones.Argon, template, new IpiConnection(server)).Run();
    }

    /// <summary>Gives what a server sent, and takes what it would be sent.</summary>
    private sealed class DuplexStream(byte[] sent) : MemoryStream(sent, writable: false)
    {
        public override bool CanWrite => true;

        public override void Write(byte[] buffer, int offset, int count)
        {
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
        }
    }

    private string TokenFolder() => Made("tokens", path => Tests.Tokens.Store.SmallStore.Write(path, 30));

    private string FrameFolder() => Made("frames", path =>
    {
        string file = path + ".xyz";
        Tests.Atoms.Preparation.SmallFrames.Save(file, Tests.Atoms.Preparation.SmallFrames.Make(12));
        FramePreparer.Run(new FramePreparation { Files = [file], Output = path, ValidationFraction = 0.2 });
    });

    private string Made(string name, Action<string> make)
    {
        string path = Path.Combine(folder, name + "-store");
        if (!Directory.Exists(path)) make(path);
        return path;
    }

    /// <summary>A manifest without its seal, as a hand that edits it leaves it away; any other file as it is.</summary>
    private static byte[] OfStore(string store, string name)
    {
        string path = Path.Combine(store, name);
        byte[] bytes = File.ReadAllBytes(path);
        return name.EndsWith(".json", StringComparison.Ordinal) ? Seal.OpenJson(bytes, path, out _).ToArray() : bytes;
    }

    private void ReadTokens(string path, string name)
    {
        using Altered altered = new(TokenFolder(), name, "store.json", File.ReadAllBytes(path));
        using TokenStore store = TokenStore.Open(altered.Folder);
        foreach (TokenSplit split in (TokenSplit[])[store.Train, store.Validation])
            for (long i = 0; i < split.Documents; i++) store.Tokenizer.Decode(split.Document(i));
    }

    private void ReadFrameStore(string path, string name)
    {
        using Altered altered = new(FrameFolder(), name, "frames.json", File.ReadAllBytes(path));
        using FrameStore store = FrameStore.Open(altered.Folder);
        foreach (FrameSplit split in (FrameSplit[])[store.Train, store.Validation])
            for (long i = 0; i < split.Count; i++) _ = split[i];
    }

    /// <summary>A store of which somebody exchanged a file, and mended its entry in the manifest; put right again in the end.</summary>
    private sealed class Altered : IDisposable
    {
        private readonly (string Path, byte[] Bytes)[] before;

        public Altered(string store, string name, string manifest, byte[] content)
        {
            Folder = store;
            string file = Path.Combine(store, name), entries = Path.Combine(store, manifest);
            before = [.. ((string[])[file, entries]).Distinct().Select(path => (path, File.ReadAllBytes(path)))];
            File.WriteAllBytes(file, content);
            if (name == manifest) return;
            JsonNode root = JsonNode.Parse(Seal.OpenJson(before[^1].Bytes, entries, out _))!;
            JsonNode entry = root["files"]!.AsArray().First(f => (string)f!["name"]! == name)!;
            (entry["bytes"], entry["sha256"]) = (content.Length, FileChecksum.Of(content));
            File.WriteAllText(entries, root.ToJsonString());
        }

        public string Folder { get; }

        public void Dispose()
        {
            foreach ((string path, byte[] bytes) in before) File.WriteAllBytes(path, bytes);
        }
    }

    private byte[] State() => (toy ??= new ToyState(Path.Combine(folder, "toy"))).Text;

    private void ReadState(string path) => toy!.Read(File.ReadAllBytes(path));

    /// <summary>A training whose checkpoint's state somebody edits, checksums and all.</summary>
    private sealed class ToyState : IDisposable
    {
        private readonly Experiment experiment = Training.ToyRuns.Of(Training.ToyRuns.EverythingOn);
        private readonly Training.RegressionTask task = new();
        private readonly RunScope scope;
        private readonly TrainingState state;
        private readonly string checkpoint;

        public ToyState(string run)
        {
            Trainer.Run(experiment, task, new RunDirectory(run), new TrainerOptions { StopAtStep = 3 });
            checkpoint = new RunDirectory(run).Checkpoints().List()[0];
            Text = File.ReadAllBytes(Path.Combine(checkpoint, "state.json"));
            (string, TorchSharp.Modules.Parameter)[] trained = [.. task.Model.named_parameters().Select(p => (p.name, p.parameter))];
            scope = new RunScope(OperatorMode.Auto, 42);
            state = new TrainingState(
                experiment, task, new AdamW(trained, experiment.Training.Optimizer, ((ITrainingTask)task).LearningRateFactor), new WeightAverage(trained, 0.9), scope);
        }

        public byte[] Text { get; }

        public void Read(byte[] text)
        {
            File.WriteAllBytes(Path.Combine(checkpoint, "state.json"), text);
            string sums = Path.Combine(checkpoint, "SHA256SUMS"), line = $"{FileChecksum.Of(text)}  state.json";
            File.WriteAllLines(sums, [.. File.ReadLines(sums).Where(l => !l.EndsWith("state.json", StringComparison.Ordinal)), line]);
            state.Load(CheckpointStore.Open(checkpoint), _ => { });
        }

        public void Dispose()
        {
            scope.Dispose();
            task.Dispose();
        }
    }

    /// <summary>A checkpoint that somebody edited, checksums and all.</summary>
    private void ReadCheckpoint(string path)
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
}
