using System.Text.Json.Nodes;
using ChemScale.Engine;
using ChemScale.Perf;
using ChemScale.Perf.Measuring;
using ChemScale.Tests.Cli;
using NUnit.Framework;
using Command = ChemScale.Tests.Cli.CommandLine;

namespace ChemScale.Tests.Perf;

/// <summary>The benchmark program as its user meets it: options, exit codes, results on disk. How fast anything is, no test says.</summary>
public sealed class PerfProgramTests
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("chemscale-perf-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [TestCase("list")]
    [TestCase("run")]
    [TestCase("merge")]
    [TestCase("table")]
    public void Every_verb_explains_itself(string verb)
    {
        Outcome outcome = Perf(verb, "--help");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        Assert.That(outcome.Output, Does.Contain("--help"));
        Assert.That(Perf("help", verb).Output, Is.EqualTo(outcome.Output));
    }

    [Test]
    public void Help_works_behind_the_name_of_a_benchmark() => Assert.That(Perf("run", "painn", "--help").ExitCode, Is.Zero);

    [Test]
    public void A_run_on_the_interpreter_prints_and_keeps_what_was_counted()
    {
        string file = Path.Combine(folder, "counted.json");
        Outcome outcome = Perf("run", "radial", "adamw", "convert", "--device", "ptx", "--quick", "--basis", "gaussian", "--layers", "1", "--json", file);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        Assert.That(outcome.Output, Does.Contain("ps an edge on an H200 (counted)").And.Contain("ps an parameter").And.Contain("skipped"));
        JsonNode result = JsonNode.Parse(File.ReadAllText(file))!;
        Assert.That(result["records"]!.AsArray(), Is.Empty, "nothing is timed");
        JsonNode forward = result["counted"]!.AsArray().First(c => (string)c!["pass"]! == "forward")!;
        Assert.That((string)result["host"]!["device"]!, Is.EqualTo("ptx"));
        JsonNode kernel = forward["kernels"]!.AsArray().Single()!;
        // Vectors in; distance, direction, envelope and twenty functions out, of float32.
        Expect.Close((double)kernel["compulsoryBytes"]! / (double)forward["items"]!, 32 + 4 * 20, relative: 0.05);
        Expect.Above((double)kernel["seconds"]!["issue"]!, 0.0);
    }

    [TestCase("'frob'", "frob")]
    [TestCase("'nope'", "run", "nope")]
    [TestCase("'nope'", "run", "radial", "--nope")]
    [TestCase("'edges'", "run", "radial", "--edges", "many")]
    [TestCase("'edges'", "run", "radial", "--edges", "0")]
    [TestCase("'edges'", "run", "radial", "--edges", "1.5")]
    [TestCase("'repeats'", "run", "radial", "--repeats")]
    [TestCase("'modes'", "run", "radial", "--modes", "quick")]
    [TestCase("'device'", "run", "radial", "--device", "abacus")]
    [TestCase("'batches'", "run", "forcefield", "--batches", "benzene:3")]
    [TestCase("'compile'", "run", "radial", "--compile")]
    [TestCase("'smiles'", "run", "selfies", "--smiles", "no-such-file")]
    [TestCase("'before'", "run", "convert", "--before", "no-such-file")]
    [TestCase("nothing to work on", "run")]
    [TestCase("no-such-folder", "merge", "no-such-folder")]
    [TestCase("no-such-folder", "table", "no-such-folder")]
    public void A_mistake_is_one_line_and_exit_code_2(string named, params string[] arguments)
    {
        Outcome outcome = Perf(arguments);
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.ToString());
        Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
        Assert.That(outcome.ErrorLines[0], Does.StartWith("perf: ").And.Contain(named));
    }

    [Test]
    public void Beside_a_busy_process_every_side_is_measured_again()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("cores of Linux");
        string file = Path.Combine(folder, "busy.json");
        Outcome outcome = Perf("run", "radial", "--busy", "--quick", "--json", file,
            "--edges", "36", "--modes", "composed", "--basis", "bessel", "--repeats", "1", "--warm-up", "0");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        JsonNode result = JsonNode.Parse(File.ReadAllText(file))!;
        string[] sides = [.. result["records"]!.AsArray().Select(r => (string)r!["side"]!).Distinct()];
        Assert.That(sides, Is.EquivalentTo(new[] { "composed", "composed busy" }));
        foreach (JsonNode? record in result["records"]!.AsArray().Where(r => ((string)r!["side"]!).EndsWith("busy")))
            Expect.Above((double)record!["more"]!["ofQuiet"]!, 0);
        Assert.That((string)result["host"]!["jit"]!, Does.StartWith("JIT: "));
    }

    [Test]
    public void A_busy_process_works_on_one_core_and_ends()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("cores of Linux");
        int[] before = Spinning();
#pragma warning disable CA1416 // Linux, see above.
        using (new BusyProcess())
        {
            int started = Spinning().Except(before).Single();
            using var process = System.Diagnostics.Process.GetProcessById(started);
            Assert.That(System.Numerics.BitOperations.PopCount((ulong)process.ProcessorAffinity), Is.EqualTo(1));
            Assert.That(() => process.TotalProcessorTime > TimeSpan.FromSeconds(0.3), Is.True.After(20000, 50));
        }
#pragma warning restore CA1416
        Assert.That(Spinning().Except(before), Is.Empty);

        static int[] Spinning() => [.. Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(n => int.TryParse(n, out _)).Select(n => int.Parse(n!))
            .Where(id => Command(id).EndsWith("ChemScale.Perf.dll spin", StringComparison.Ordinal))];

        static string Command(int id)
        {
            try
            {
                return File.ReadAllText($"/proc/{id}/cmdline").Replace('\0', ' ').Trim();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return "";
            }
        }
    }

    [Test]
    public void Every_benchmark_that_needs_no_other_process_runs_on_its_smallest_sizes()
    {
        string[] names = [.. Perf("list").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')[0]).Except(["forcefield", "convert"])];
        string file = Path.Combine(folder, "result.json");
        Outcome outcome = Perf(["run", .. names, "--quick", "--json", file, "--threads", "1", "--repeats", "1", "--warm-up", "0", "--edges", "36", "--widths", "16",
            "--molecules", "2", "--lengths", "20", "--head-widths", "4", "--atoms", "216", "--layers", "1"]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        JsonNode result = JsonNode.Parse(File.ReadAllText(file))!;
        Assert.That(result["skipped"]!.AsArray(), Is.Empty);
        Assert.That(result["host"]!["cores"]!.GetValue<int>(), Is.EqualTo(ProcessorBudget.Count));
        Assert.That(result["records"]!.AsArray().Select(r => (string)r!["benchmark"]!).Distinct(), Is.EquivalentTo(names));
        foreach (JsonNode? record in result["records"]!.AsArray()) Expect.Above((double)record!["seconds"]!["median"]!, 0);
        JsonNode radial = result["records"]!.AsArray().First(r => (string)r!["benchmark"]! == "radial" && (string)r["pass"]! == "forward")!;
        Assert.That((double)radial["bytes"]!, Is.EqualTo(36 * (32 + 4 * 20)));
        Expect.Close((double)radial["ofCopy"]!, (double)radial["bytesPerSecond"]! / (double)result["rates"]!["radial"]!["copy"]!, absolute: 1e-12);
    }

    [Test]
    public void The_command_is_measured_beside_the_codec_in_memory()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("processes are measured on Linux and macOS");
            return;
        }
        // Whatever takes `convert` and copies its lines will do.
        string command = Path.Combine(folder, "command"), file = Path.Combine(folder, "convert.json");
        File.WriteAllText(command, "#!/bin/sh\nexec cat\n");
        File.SetUnixFileMode(command, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        string[] options = ["run", "convert", "--lines", "50", "--grammar", "2.1", "--repeats", "1", "--warm-up", "0"];
        Outcome outcome = Perf([.. options, "--program", command, "--before", command, "--json", file]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        Assert.That(JsonNode.Parse(File.ReadAllText(file))!["records"]!.AsArray().Select(r => $"{r!["side"]} {r["pass"]}"), Is.EquivalentTo((string[])
            ["memory encode", "memory decode", "process encode", "process decode", "before encode", "before decode"]));
        Assert.That(outcome.Output, Does.Match("encode: process [0-9,]+ per processor second, [0-9]+ % of the codec's"));
        File.WriteAllText(Path.Combine(folder, "short"), "#!/bin/sh\nexec head -n 49\n");
        File.SetUnixFileMode(Path.Combine(folder, "short"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Outcome refused = Perf([.. options, "--program", Path.Combine(folder, "short")]);
        Assert.That(refused.ExitCode, Is.EqualTo(1), refused.ToString());
        Assert.That(refused.Output, Does.Contain("49 lines where 50 are expected"));
    }

    [Test]
    public void What_does_not_fit_is_left_out_and_said()
    {
        Outcome outcome = Perf("run", "radial", "--quick", "--basis", "bessel", "--edges", "1e4", "--memory", "1e-6", "--json", folder);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        JsonNode result = JsonNode.Parse(File.ReadAllText(Directory.GetFiles(folder).Single()))!;
        Assert.That(result["records"]!.AsArray(), Is.Empty);
        Assert.That(result["skipped"]!.AsArray().Select(s => (string)s!["side"]!), Is.EquivalentTo((string[])["composed", "kernels"]));
        Assert.That((string)result["skipped"]![0]!["reason"]!, Does.StartWith("takes about"));
        Assert.That(outcome.Output, Does.Contain("skipped: basis bessel, edges 10000, functions 20, composed: takes about"));
    }

    private static Outcome Perf(params string[] arguments) => Command.Here(Program.Main, arguments);
}
