using System.Diagnostics;
using System.Runtime.InteropServices;
using ChemScale.Engine.Files;
using ChemScale.Engine.Native;
using NUnit.Framework;

namespace ChemScale.Tests.Native;

/// <summary>Whose code is loaded.</summary>
[Platform("Linux", Reason = "owners are looked at on Linux")]
public class OwnershipTests
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("chemscale-owner-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void What_this_user_alone_may_change_is_loaded()
    {
        Assert.That(Ownership.Objection(Write("lib.so")), Is.Null);
        Assert.That(Ownership.Objection(NativeLibraries.FindTorchFolder() + "/libtorch_cpu.so"), Is.Null);
        Assert.That(Ownership.Objection(NativeLibraries.FindShim()!), Is.Null);
    }

    [Test]
    public void What_others_may_write_to_is_refused_and_so_is_what_lies_in_it()
    {
        string open = Write("open.so", "666"), below = Write("shared/lib.so");
        Assert.That(Ownership.Objection(open), Does.StartWith(open).And.Contain("others may write"));
        Mode("shared", "777");
        Assert.That(Ownership.Objection(below), Does.StartWith(Path.Combine(folder, "shared") + ":"));
        Mode("shared", "1777");
        Assert.That(Ownership.Objection(below), Is.Null, "the sticky bit keeps others from it");
        Assert.That(Ownership.Objection("lib.so"), Does.Contain("relative"));
        Assert.That(Ownership.Objection(Path.Combine(folder, "none.so")), Does.Contain("cannot be looked at"));
    }

    [Test]
    public void A_link_is_followed_to_what_it_names()
    {
        string open = Write("open.so", "666"), good = Write("good.so");
        File.CreateSymbolicLink(Path.Combine(folder, "to-open"), open);
        File.CreateSymbolicLink(Path.Combine(folder, "to-good"), "good.so");
        Directory.CreateSymbolicLink(Path.Combine(folder, "round"), "round");
        Assert.That(Ownership.Objection(Path.Combine(folder, "to-open")), Does.StartWith(open));
        Assert.That(Ownership.Objection(Path.Combine(folder, "to-good")), Is.Null);
        Assert.That(Ownership.Objection(Path.Combine(folder, "round", "lib.so")), Does.Contain("too many links"));
        Assert.That(good, Does.Exist);
    }

    [Test, NonParallelizable]
    public void What_another_user_planted_is_refused_unless_the_folder_is_trusted()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Ignore("only root can give files away");
        string planted = Write("planted/lib.so");
        Sh("chown", "nobody", Path.GetDirectoryName(planted)!);
        Assert.That(Ownership.Objection(planted), Does.StartWith(Path.GetDirectoryName(planted) + ": owned by user").And.Contain("neither root nor this one"));
        Environment.SetEnvironmentVariable(Ownership.Variable, Path.GetDirectoryName(planted));
        try
        {
            Assert.That(Ownership.Objection(planted), Is.Null);
            Assert.That(Ownership.Objection(Write("open.so", "666")), Is.Not.Null, "no other folder is");
        }
        finally
        {
            Environment.SetEnvironmentVariable(Ownership.Variable, null);
        }
    }

    [Test]
    public void A_private_folder_is_this_user_s_and_closed()
    {
        string own = Path.Combine(folder, "own");
        Assert.That(Ownership.MakePrivate(own));
        Mode("own", "750");
        Assert.That(Ownership.IsPrivate(own), Is.False);
        Assert.That(Ownership.MakePrivate(own), Is.False, "what was there may have been written by others");
        Assert.That(Ownership.MakePrivate("relative"), Is.False);
        if (!Environment.IsPrivilegedProcess) return;
        Mode("own", "700");
        Sh("chown", "nobody", own);
        Assert.That(Ownership.IsPrivate(own), Is.False);
    }

    [Test]
    public void A_copy_to_load_has_no_name_that_another_could_take([Values] bool inMemory)
    {
        byte[] content = [1, 2, 3, 4];
        using PrivateFile copy = inMemory ? PrivateFile.InMemory("copy", content) : PrivateFile.Below(folder, content);
        Assert.That(Directory.GetFileSystemEntries(folder), Is.Empty);
        Assert.That(copy.Path, Does.StartWith("/proc/self/fd/"));
        Assert.That(File.ReadAllBytes(copy.Path), Is.EqualTo(content));
    }

    [Test]
    public void A_library_is_loaded_from_a_copy()
    {
        // Any small library of the system.
        string? library = ((string[])["/lib/x86_64-linux-gnu/libm.so.6", "/usr/lib64/libm.so.6", "/lib64/libm.so.6"]).FirstOrDefault(File.Exists);
        if (library is null) Assert.Ignore("no libm where it usually is");
        // In this order: the loader knows what it has loaded by its path, and paths of descriptors come again.
        Assert.That(() => NativeLibraries.LoadCopy([1, 2, 3]), Throws.TypeOf<IOException>().With.Message.Contains("no copy of"));
        nint handle = NativeLibraries.LoadCopy(File.ReadAllBytes(library!));
        Assert.That(NativeLibrary.TryGetExport(handle, "cos", out _));
    }

    private string Write(string name, string mode = "644")
    {
        string path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "");
        Mode(name, mode);
        return path;
    }

    private void Mode(string name, string mode) => Sh("chmod", mode, Path.Combine(folder, name));

    private static void Sh(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, program);
    }
}
