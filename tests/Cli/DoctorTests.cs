using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>What doctor looks at when it is asked for one thing.</summary>
public sealed class DoctorTests
{
    [Test]
    public void Imports_are_counted_and_none_is_missing()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("looked at on Linux alone");
        Outcome outcome = CommandLine.Here("doctor", "--imports");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        Assert.That(outcome.Output, Does.Match(@"^imports +ok +none missing of 1\d\d\d symbols"));
    }

    [Test]
    public void A_libtorch_that_lacks_symbols_is_told_before_it_is_loaded()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("looked at on Linux alone");
        // The C library in the place of all of libtorch: a sound ELF file that has nothing of it.
        string system = System.Diagnostics.Process.GetCurrentProcess().Modules.Cast<System.Diagnostics.ProcessModule>()
            .First(m => m.ModuleName.StartsWith("libc.so", StringComparison.Ordinal)).FileName;
        string folder = Directory.CreateDirectory(Workplace.In("hollow-torch")).FullName;
        foreach (string name in (string[])["libtorch_cpu.so", "libc10.so", "libtorch.so"]) File.CreateSymbolicLink(Path.Combine(folder, name), system);
        foreach (string[] asked in (string[][])[["--imports"], ["--device", "cpu"], []])
        {
            Outcome outcome = CommandLine.Bash($"LIBTORCH_DIR='{folder}' exec \"$@\"", ["doctor", .. asked]);
            Assert.That(outcome.ExitCode, Is.EqualTo(1), outcome.ToString());
            Assert.That(outcome.Output, Does.Match(@"imports +FAILED +1\d\d\d missing of 1\d\d\d symbols").And.Contain(folder));
            if (asked is ["--imports"]) Assert.That(outcome.Output, Does.Contain("\n" + new string(' ', 21) + "_ZN"));
            Assert.That(outcome.Error, Is.Empty);
        }
    }

    [Test]
    public void Without_libtorch_doctor_has_its_table_and_other_verbs_one_line()
    {
        string folder = Directory.CreateDirectory(Workplace.In("no-torch")).FullName;
        (string, string)[] chosen = [("LIBTORCH_DIR", folder)];
        string program = typeof(ChemScale.Cli.Verb).Assembly.Location;
        Outcome examined = CommandLine.Run(program, chosen, ["doctor"]);
        Assert.That(examined.ExitCode, Is.EqualTo(1), examined.ToString());
        Assert.That(examined.Error, Is.Empty);
        Assert.That(examined.Output, Does.Match(@"runtime +ok").And.Match(@"FAILED +no .*torch_cpu.*\n +HINT: .*LIBTORCH_DIR").And.Contain(folder));
        foreach (string[] verb in (
            string[][])[["train", "--data", Workplace.Store, "--operators", "host", "--out", Workplace.In("none")], ["predict", "--run", "x", "--frames", "y"]])
        {
            Outcome refused = CommandLine.Run(program, chosen, verb);
            Assert.That(refused.ExitCode, Is.EqualTo(2), refused.ToString());
            Assert.That(refused.ErrorLines, Has.Length.EqualTo(1).And.Some.Contains("HINT").And.Some.Contains(folder));
        }
        Assert.That(Directory.Exists(Workplace.In("none")), Is.False);
    }

    [Test]
    public void What_computes_with_no_tensors_needs_no_libtorch()
    {
        (string, string)[] none = [("LIBTORCH_DIR", Directory.CreateDirectory(Workplace.In("torchless")).FullName)];
        string program = typeof(ChemScale.Cli.Verb).Assembly.Location, store = Workplace.In("torchless-store");
        string points = Workplace.Write("torchless.csv", "n,loss\n" + string.Join('\n', Enumerable.Range(1, 8).Select(i => $"{1000 * i},{3.0 / i}")));
        foreach (string[] arguments in (string[][])[["convert"], ["prepare", "--molecules", Workplace.Write("torchless.smi", "CCO\nCCN\nCCC\nCC"), "--out", store],
            ["fit", points, "--n-column", "n", "--resource", "parameters", "--bootstrap", "0"]])
        {
            Outcome outcome = CommandLine.Run(program, none, arguments);
            Assert.That(outcome.ExitCode, Is.Zero, $"{arguments[0]}: {outcome}");
        }
    }

    [Test]
    public void It_says_what_multiplies_and_what_auto_takes()
    {
        string examined = CommandLine.Here("doctor").Output;
        Assert.That(examined, Does.Match(@"products +ok +(BLAS|.*Math Kernel Library|own lanes|own tiles)").And.Match("operators +ok +auto on the CPU: "));
        Outcome lanes = CommandLine.Run(typeof(ChemScale.Cli.Verb).Assembly.Location, [("CHEMSCALE_BLAS", "none")], ["doctor"]);
        Assert.That(lanes.Output, Does.Match("products +ok +own (lanes|tiles of 512-bit vectors): CHEMSCALE_BLAS=none"));
    }

    [Test]
    public void A_device_that_works_passes_each_step()
    {
        Outcome outcome = CommandLine.Here("doctor", "--device", "cpu");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        Assert.That(outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0]),
            Is.EqualTo((string[])["float64", "float32", "launch", "operation", "release"]));
    }

    [Test]
    public void Kernels_are_written_with_a_table()
    {
        string folder = Workplace.In("ptx");
        Outcome outcome = CommandLine.Here("doctor", "--ptx", folder, "--architecture", "sm_80");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        string[][] table = [.. File.ReadAllLines(Path.Combine(folder, "kernels.tsv")).Select(line => line.Split('\t'))];
        Assert.That(table[0], Is.EqualTo((string[])["file", "family", "registers", "local_bytes", "kernel"]));
        Assert.That(table.Skip(1).Select(row => row[1]).Distinct(), Is.SupersetOf((string[])["Radial", "Filter", "Attention", "AdamW"]));
        Assert.That(Directory.GetFiles(folder, "*.ptx").Select(Path.GetFileName), Is.EquivalentTo(table.Skip(1).Select(row => row[0])));
        foreach (string[] row in table.Skip(1)) Assert.That(File.ReadAllText(Path.Combine(folder, row[0])), Does.Contain(".target sm_80\n"), row[4]);
    }

    /// <summary>In a process of its own, whose cache is elsewhere.</summary>
    [Test, Platform("Linux")]
    public void A_cache_that_others_may_use_is_told_in_one_line()
    {
        if (!OperatingSystem.IsLinux()) return;
        string home = Workplace.In("cache"), folder = Path.Combine(home, "chemscale", "ptx");
        Directory.CreateDirectory(folder, (UnixFileMode)0b111_101_101);
        string program = typeof(ChemScale.Cli.Verb).Assembly.Location;
        Outcome outcome = CommandLine.Run(program, [("XDG_CACHE_HOME", home)], ["doctor", "--warm"]);
        Assert.That(outcome.ExitCode, Is.EqualTo(1), outcome.ToString());
        Assert.That(outcome.Output, Does.Contain(folder).And.Contain("others may use it (mode 0755); chmod 700").And.Contain("HINT"));
        Assert.That(Directory.GetFiles(folder), Is.Empty);
    }

    [Test, Category("Slow")]
    public void Kernels_are_compiled_ahead_once()
    {
        string home = Workplace.In("cache"), program = typeof(ChemScale.Cli.Verb).Assembly.Location;
        string[] found = [.. Enumerable.Range(0, 2).Select(_ => CommandLine.Run(program, [("XDG_CACHE_HOME", home)], ["doctor", "--warm"]).Output)];
        Assert.That(found[0], Does.Match(@"ok +(\d+) for sm_90, \1 of them compiled now"));
        Assert.That(found[1], Does.Contain("for sm_90, 0 of them compiled now"));
    }

    [TestCase("--device", "gpu", "'gpu'; expected cpu, cuda")]
    [TestCase("--ptx", "x", "'sm_x'; expected sm_80")]
    public void Mistakes_are_told_in_one_line(string option, string value, string complaint)
    {
        Outcome outcome = CommandLine.Here("doctor", option, value, "--architecture", "sm_x");
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.ToString());
        Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
        Assert.That(outcome.Error, Does.Contain(complaint));
    }
}
