using System.Diagnostics;
using ChemScale.Cli;
using ChemScale.Engine.Native;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>
/// Another user, nobody, puts libraries wherever the program could look for its own; root runs it. What the loader opened is told by the loader itself
/// (LD_DEBUG), so that "not loaded" is seen and not concluded from an exit code.
/// </summary>
[Platform("Linux", Reason = "owners are looked at on Linux"), NonParallelizable]
public sealed class PlantedLibraryTests
{
    private const string Nobody = "65534";

    private static readonly string Recorded = NativeLibraries.FindTorchFolder() ?? "";

    /// <summary>Of libtorch, within the cache of packages.</summary>
    private static readonly string Package = Recorded.IndexOf("/libtorch-cpu-", StringComparison.Ordinal) is >= 0 and var at ? Recorded[(at + 1)..] : "none";

    // Every name that is loaded by name or by path.
    private static readonly string[] Names =
        ["libLibTorchSharp.so", "libtorch_cpu.so", "libc10.so", "libtorch.so", "libgomp.so.1", "libmkl_rt.so.2", "libopenblas.so.0", "libcuda.so.1"];

    private static readonly string[] Places = ["torch", ".", ".cache", ".cache/chemscale", ".cache/chemscale/native", ".cache/chemscale/ptx", "tmp", "packages/" + Package];

    private TemporaryFolder folder = null!;
    private string planted = "";

    [OneTimeSetUp]
    public void Plant()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Ignore("only root can become nobody");
        if (Which("setpriv") is null) Assert.Ignore("no setpriv, which becomes nobody");
        string? library = ((string[])["/lib/x86_64-linux-gnu/libm.so.6", "/usr/lib64/libm.so.6", "/lib64/libm.so.6"]).FirstOrDefault(File.Exists);
        if (library is null) Assert.Ignore("no small library of the system to plant");
        // Where nobody may write as everybody may in a shared folder for temporary files.
        folder = new TemporaryFolder(inMemory: false);
        Assert.That(Run("chmod", [], ["1777", folder.Path]).ExitCode, Is.Zero);
        planted = folder["planted"];
        string script = string.Join("; ", Places.Select(place =>
            $"mkdir -p '{planted}/{place}'; for name in {string.Join(' ', Names)}; do cp '{library}' '{planted}/{place}/'$name; done"));
        Outcome outcome = Run("setpriv", [], ["--reuid", Nobody, "--regid", Nobody, "--clear-groups", "sh", "-c", $"umask 022; {script}; id -u"]);
        if (outcome.ExitCode != 0) Assert.Ignore($"nobody could not be become: {outcome}");
        Assert.That(outcome.Output.Trim(), Is.EqualTo(Nobody));
    }

    [OneTimeTearDown]
    public void Remove() => folder?.Dispose();

    [Test]
    public void A_folder_that_is_named_is_refused_with_the_owner()
    {
        (Outcome outcome, string[] opened) = Command([("LIBTORCH_DIR", planted + "/torch")], "train");
        AssertRefused(outcome, opened, $"{planted}: owned by user {Nobody}", "CHEMSCALE_TRUST");
    }

    [Test]
    public void A_relative_path_is_refused_wherever_one_stands()
    {
        (Outcome outcome, string[] opened) = Command([("LIBTORCH_DIR", "torch")], "train");
        AssertRefused(outcome, opened, "LIBTORCH_DIR is a relative path, 'torch'");
    }

    [Test]
    public void A_package_cache_of_another_is_refused_where_the_recorded_one_is_gone()
    {
        if (Package == "none") Assert.Ignore("no folder of a package is recorded here");
        // In a mount namespace of its own, where nothing lies in the recorded folder.
        Outcome mount = Run("unshare", [], ["-m", "sh", "-c", $"mount --make-rprivate / && mount -t tmpfs none '{Recorded}'"]);
        if (mount.ExitCode != 0) Assert.Ignore("no file systems can be mounted here");
        (Outcome outcome, string[] opened) = Command([("NUGET_PACKAGES", planted + "/packages")], "train", hidden: Recorded);
        AssertRefused(outcome, opened, $"{planted}: owned by user {Nobody}");
    }

    [TestCase("HOME", ""), TestCase("HOME", "/"), TestCase("XDG_CACHE_HOME", "/.cache"), TestCase("TMPDIR", "/tmp"), TestCase("HOME", ".")]
    public void What_lies_in_a_cache_or_the_current_folder_is_not_looked_at(string variable, string place)
    {
        string value = place is "" or "." ? place : planted + place.TrimEnd('/');
        (Outcome outcome, string[] opened) = Command([(variable, value)], "doctor");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        Assert.That(opened, Has.None.StartWith(planted));
        Assert.That(opened, Has.Some.Contains("libtorch_cpu.so"), "the loader tells what it opens");
    }

    [Test]
    public void A_folder_that_is_trusted_is_loaded_from()
    {
        // The counterpart: the same files are opened where somebody says so.
        (Outcome _, string[] opened) = Command([("LIBTORCH_DIR", planted + "/torch"), ("CHEMSCALE_TRUST", planted)], "train");
        Assert.That(opened, Has.Some.StartWith(planted + "/torch/"));
    }

    private static void AssertRefused(Outcome outcome, string[] opened, params string[] parts)
    {
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.ToString());
        Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
        foreach (string part in parts) Assert.That(outcome.ErrorLines[0], Does.Contain(part));
        Assert.That(opened, Has.None.Contains("/planted/"));
        Assert.That(Directory.Exists(Workplace.In("planted-run")), Is.False);
    }

    /// <summary>Root's command in the planted folder, and the files that its loader opened.</summary>
    private (Outcome Outcome, string[] Opened) Command((string, string)[] environment, string verb, string? hidden = null)
    {
        string told = Directory.CreateDirectory(folder[$"told-{Guid.NewGuid():N}"]).FullName;
        string[] arguments = verb == "doctor" ? ["doctor", "--device", "cpu"] : ["train", "--data", Workplace.Store, "--out", Workplace.In("planted-run"), "--steps", "1"];
        string[] command = [Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", typeof(Verb).Assembly.Location, .. arguments];
        string hide = hidden is null ? "" : $"mount --make-rprivate / && mount -t tmpfs none '{hidden}' && ";
        string[] shell = [.. hidden is null ? (string[])[] : ["-m", "bash"], "-c", $"{hide}cd '{planted}' && exec \"$@\"", "bash", .. command];
        Outcome outcome = Run(hidden is null ? "bash" : "unshare", [.. environment, ("LD_DEBUG", "files"), ("LD_DEBUG_OUTPUT", Path.Combine(told, "files"))], shell);
        string[] opened = [.. Directory.GetFiles(told).SelectMany(File.ReadLines).Select(line => line.IndexOf("file=", StringComparison.Ordinal) is >= 0 and var at
            ? line[(at + 5)..].Split(' ')[0] : "").Where(file => file.StartsWith('/')).Distinct()];
        return (outcome, opened);
    }

    private static Outcome Run(string program, IEnumerable<(string Name, string Value)> environment, IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        return new RunningCommand(start, null).Wait();
    }

    private static string? Which(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(f => Path.Combine(f, program)).FirstOrDefault(File.Exists);
}
