using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine.Native;
using ChemScale.Tests.Stress;
using ChemScale.Tests.Studies;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>
/// The command while garbage is collected without pause: what native code works on must outlive its work, so nothing is thrown and every
/// number is that of a run in peace.
/// </summary>
public sealed class LifetimeStressTests
{
    private static readonly string[] Small = ["--cutoff", "3", "--batch", "5", "--validate-every", "2 steps"], Narrow = ["--features", "6", "--interactions", "1"];

    private static readonly string[] Models = ["chemgpt", "painn", "schnet", "allegro", "spookynet"], Operators = ["auto", "composed", "host", "kernels"];

    private static string frames = "", store = "", fields = "";

    [OneTimeSetUp]
    public void Make()
    {
        frames = Workplace.In("stressed.npz");
        SpringFrames.Save(frames, 12);
        store = Workplace.In("stressed");
        fields = Workplace.In("stressed-painn");
        Done(CommandLine.Here("prepare", "--frames", frames, "--validation-frames", "4", "--out", store));
        // A process of its own: others of this one may have another number of threads meanwhile.
        Done(CommandLine.Start([.. Train("painn", "auto", 3), "--out", fields]).Wait());
    }

    [TestCase("chemgpt", "composed"), TestCase("painn", "host")]
    [TestCase("schnet", "auto"), TestCase("allegro", "auto"), TestCase("spookynet", "auto")]
    public void A_training_under_the_collector_is_that_without(string model, string operators) => Same(Train(model, operators, 2), "metrics.csv", pause: 1);

    [Test]
    public void Generation_prediction_and_simulation_under_the_collector_are_those_without() => GenerateAndPredict(pause: 1);

    private static void GenerateAndPredict(int pause)
    {
        Same(["generate", "--run", Workplace.CompleteRun, "--count", "20", "--max-tokens", "12", "--threads", "1"], "molecules.tsv", pause);
        Same(["predict", "--run", fields, "--frames", frames, "--threads", "1"], "", pause);
        Same(["simulate", "--run", fields, "--frame", frames + "@0", "--ensemble", "langevin", "--steps", "5", "--threads", "1"], "trajectory.extxyz", pause);
    }

    [Test, Category("Slow")]
    public void Ten_minutes_of_every_family_and_form_under_the_collector_are_as_without()
    {
        var watch = Stopwatch.StartNew();
        int done = 0;
        while (watch.Elapsed < TimeSpan.FromMinutes(10))
        {
            foreach (string model in Models)
                foreach (string operators in Operators) Same(Train(model, operators, 20), "metrics.csv");
            GenerateAndPredict(pause: 0);
            done += Models.Length * Operators.Length + 3;
        }
        TestContext.Out.WriteLine($"{done} commands");
    }

    [Test]
    public void A_TorchSharp_that_is_not_woven_is_refused_in_one_line()
    {
        string folder = Unwoven("not-woven");
        Outcome trained = CommandLine.Run(Path.Combine(folder, "ChemScale.Cli.dll"), [], [.. Train("painn", "auto", 1), "--out", Workplace.In("none")]);
        Assert.That(trained.ExitCode, Is.EqualTo(2), trained.ToString());
        Assert.That(trained.ErrorLines, Has.Length.EqualTo(1).And.Some.Contains("TorchSharp.dll").And.Some.Contains("HINT"));
        Assert.That(Directory.Exists(Workplace.In("none")), Is.False);
        Outcome examined = CommandLine.Run(Path.Combine(folder, "ChemScale.Cli.dll"), [], ["doctor"]);
        Assert.That(examined.ExitCode, Is.EqualTo(1), examined.ToString());
        Assert.That(examined.Error, Is.Empty);
        Assert.That(examined.Output, Does.Match(@"runtime +ok").And.Match(@"TorchSharp +FAILED .*\n +HINT: .*Weaver\.targets"));
        Outcome helped = CommandLine.Run(Path.Combine(folder, "ChemScale.Cli.dll"), [], ["train", "--help"]);
        Assert.That(helped.ExitCode, Is.Zero, helped.ToString());
    }

    /// <summary>When this fails, TorchSharp keeps its objects alive by itself: the weaver can go.</summary>
    [Test, Category("Slow")]
    public void TorchSharp_as_it_is_packed_still_needs_the_weaver()
    {
        string program = Path.Combine(Unwoven("race"), "ChemScale.Cli.dll"), torch = NativeLibraries.TorchFolder!;
        string natives = string.Join(Path.PathSeparator,
            [.. ((string[])["libc10.so", "libtorch_cpu.so", "libtorch.so"]).Select(file => Path.Combine(torch, file)), Shim(Path.GetDirectoryName(program)!)]);
        // First, so that nothing but the race can end the other.
        Outcome sound = CommandLine.Run(typeof(ChemScale.Cli.Verb).Assembly.Location, Hook(("STRESS_RACE", "20"), ("STRESS_NATIVES", natives)), []);
        Assert.That(sound.ExitCode, Is.Zero, sound.ToString());
        Outcome raced = CommandLine.Run(program, Hook(("STRESS_RACE", "60"), ("STRESS_NATIVES", natives)), []);
        // 3: counted; anything else but 0: it died of it.
        Assert.That(raced.ExitCode, Is.Not.Zero, raced.ToString());
        Assert.That(raced.Error, Does.Not.Contain("LoadNatives"));
        TestContext.Out.WriteLine(raced);
    }

    /// <summary>One that this system loads by its path: the engine itself loads its copy from memory.</summary>
    private static string Shim(string folder)
    {
        string packed = NativeLibraries.ShimPath!;
        if (!NativeLibraries.ShimRelaxed) return packed;
        byte[] bytes = File.ReadAllBytes(packed);
        Assert.That(SymbolVersions.MakeWeak(bytes, NativeLibraries.UnusedVersion), Is.Not.Zero);
        string path = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "shim")).FullName, Path.GetFileName(packed));
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static string[] Train(string model, string operators, int steps) =>
    [
        .. model == "chemgpt" ? ["train", "--data", Workplace.Store, "--layers", "1", "--width", "16", "--heads", "2", "--batch", "4", "--lr", "1e-3"]
            : (string[])["train", "--model", model, "--data", store, .. Small, .. model == "allegro" ? [] : Narrow],
        "--operators", operators, "--steps", $"{steps}", "--threads", "1",
    ];

    /// <summary>Runs a verb in peace, here, and under the hook, in a process: the same file comes of both.</summary>
    /// <param name="arguments">All but --out.</param>
    /// <param name="file">In the folder that the verb makes; empty: what it makes is the file.</param>
    /// <param name="pause">Milliseconds between collections: without, a loaded machine spends half a minute on a command's start.</param>
    private static void Same(string[] arguments, string file, int pause = 0)
    {
        string peace = Workplace.In(Path.GetRandomFileName() + Suffix(file)), stress = Workplace.In(Path.GetRandomFileName() + Suffix(file)), log = stress + ".log";
        Done(CommandLine.Here([.. arguments, "--out", peace]));
        Outcome stressed = CommandLine.Run(typeof(ChemScale.Cli.Verb).Assembly.Location, Hook(("STRESS_LOG", log), ("STRESS_PAUSE", $"{pause}")), [.. arguments, "--out", stress]);
        string[] lines = File.Exists(log) ? File.ReadAllLines(log) : [];
        Assert.That(stressed.ExitCode, Is.Zero, $"{string.Join(' ', arguments)}: {stressed}{string.Join("\n", lines)}");
        Expect.Above(int.Parse(lines[0], CultureInfo.InvariantCulture), 20, "collections");
        // Files that are not there yet are asked for by exceptions; options with names of a list are parsed by them.
        Assert.That(lines[1..].Where(l => !l.Contains("NotFoundException", StringComparison.Ordinal) && !l.Contains("@ CommandLine.Core.TypeConverter", StringComparison.Ordinal)),
            Is.Empty, "exceptions");
        Assert.That(File.ReadAllText(Path.Join(stress, file)), Is.EqualTo(File.ReadAllText(Path.Join(peace, file))), string.Join(' ', arguments));
    }

    private static string Suffix(string file) => file.Length == 0 ? ".extxyz" : "";

    private static void Done(Outcome outcome) => Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());

    private static (string, string)[] Hook(params (string, string)[] more) =>
        [("DOTNET_STARTUP_HOOKS", typeof(HandleRace).Assembly.Location), .. more];

    /// <summary>The command in a folder of its own, with TorchSharp as it is packed.</summary>
    private static string Unwoven(string name)
    {
        string folder = Directory.CreateDirectory(Workplace.In(name)).FullName, here = AppContext.BaseDirectory;
        foreach (string file in Directory.GetFiles(here)
            .Where(f => f.EndsWith(".dll", StringComparison.Ordinal) || Path.GetFileName(f).StartsWith("ChemScale.Cli.", StringComparison.Ordinal)))
        {
            string target = Path.Combine(folder, Path.GetFileName(file));
            // The folder of a program is that of the file behind a link.
            if (Path.GetFileName(file).StartsWith("ChemScale.Cli.", StringComparison.Ordinal)) File.Copy(file, target);
            else if (Path.GetFileName(file) != "TorchSharp.dll") File.CreateSymbolicLink(target, file);
        }
        Directory.CreateSymbolicLink(Path.Combine(folder, "runtimes"), Path.Combine(here, "runtimes"));
        File.Copy(Path.Combine(here, "Unwoven", "TorchSharp.dll"), Path.Combine(folder, "TorchSharp.dll"));
        return folder;
    }
}
