using System.Text.RegularExpressions;
using ChemScale.Engine.Files;
using ChemScale.Kernels.Device;
using ChemScale.Tests.Files;
using NUnit.Framework;

namespace ChemScale.Tests.Kernels;

public class ModuleCacheTests
{
    private static readonly KernelMethod Kernel = KernelMethod.Of(BadKernels.Good);

    private string folder = null!;

    [SetUp]
    public void Make() => folder = Path.Combine(Path.GetTempPath(), "kernels-" + Guid.NewGuid().ToString("N"));

    private readonly List<string> told = [];

    private ModuleCache NewCache(IStorage? storage = null, long largest = 1 << 20) => new(folder, (path, content) =>
    {
        storage ??= DiskStorage.Shared;
        storage.EnsureDirectory(folder);
        storage.WriteAtomically(path, content);
    })
    {
        LargestBytes = largest,
        Told = told.Add,
        Remove = File.Delete,
    };

    [TearDown]
    public void Remove()
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    [Test]
    public void Another_process_finds_what_one_compiled()
    {
        PtxModule compiled = NewCache().Get(Kernel, "sm_90");
        string file = Directory.GetFiles(folder).Single();
        ModuleCache other = NewCache();
        PtxModule found = other.Get(Kernel, "sm_90");
        Assert.That(other.Compiled, Is.Zero);
        Assert.That(found.EntryPoint, Is.EqualTo(compiled.EntryPoint));
        Assert.That(found.Text, Does.Contain(compiled.Text));
    }

    [Test]
    public void Architectures_and_kernels_have_files_of_their_own()
    {
        var cache = NewCache();
        _ = cache.Get(Kernel, "sm_80");
        _ = cache.Get(Kernel, "sm_90");
        _ = cache.Get(KernelMethod.Of(BadKernels.NoVectors), "sm_90");
        Assert.That(Directory.GetFiles(folder), Has.Length.EqualTo(3));
    }

    [Test]
    public void A_torn_file_is_compiled_anew()
    {
        PtxModule compiled = NewCache().Get(Kernel, "sm_90");
        string file = Directory.GetFiles(folder).Single(), text = File.ReadAllText(file);
        File.WriteAllText(file, text[..(text.Length / 2)]);
        Assert.That(NewCache().Get(Kernel, "sm_90").Text, Does.Contain(compiled.Text[^40..]));
        Assert.That(told.Single(), Does.Contain(file).And.Contain("no whole module").And.Contain("compiled and written anew"));
        Expect.Above(File.ReadAllText(file).Length, 0.9 * text.Length);
        // A digit that has changed is no better.
        text = File.ReadAllText(file);
        File.WriteAllText(file, text.Replace(".version 7.8", ".version 7.7", StringComparison.Ordinal));
        Assert.That(NewCache().Get(Kernel, "sm_90").Text, Does.Contain(".version 7.8"));
        Assert.That(told, Has.Count.EqualTo(2));
    }

    [Test]
    public void Modules_that_were_not_read_for_longest_go_first()
    {
        KernelMethod[] kernels = [Kernel, KernelMethod.Of(BadKernels.NoVectors), KernelMethod.Of(BadKernels.Float64)];
        foreach (KernelMethod kernel in kernels[..2]) _ = NewCache().Get(kernel, "sm_90");
        string[] files = [.. Directory.GetFiles(folder).OrderBy(f => File.ReadAllText(f).Contains("st.global.v4", StringComparison.Ordinal) ? 0 : 1)];
        // Written first, read last.
        for (int i = 0; i < files.Length; i++)
        {
            File.SetLastWriteTimeUtc(files[i], DateTime.UtcNow.AddHours(i - 5));
            File.SetLastAccessTimeUtc(files[i], DateTime.UtcNow.AddHours(-i - 1));
        }
        long room = files.Sum(f => new FileInfo(f).Length) + 100;
        _ = NewCache(largest: room).Get(kernels[2], "sm_90");
        Assert.That(File.Exists(files[0]), Is.True);
        Assert.That(File.Exists(files[1]), Is.False);
        Expect.AtMost(Directory.GetFiles(folder).Sum(f => new FileInfo(f).Length), room);
    }

    [Test]
    public void A_folder_that_cannot_be_made_is_only_slower()
    {
        File.WriteAllText(folder, "in the way");
        Assert.That(NewCache().Get(Kernel, "sm_90").Text, Does.Contain("st.global.v4"));
        File.Delete(folder);
    }

    [Test]
    public void A_write_that_fails_leaves_no_kernel_or_a_whole_one_and_is_only_slower()
    {
        int n = 1;
        for (; ; n++)
        {
            var storage = new FaultyStorage(n, Fault.Once);
            PtxModule compiled = NewCache(storage).Get(Kernel, "sm_90");
            Assert.That(Unnumbered(NewCache().Get(Kernel, "sm_90")), Does.Contain(Unnumbered(compiled)));
            Directory.Delete(folder, recursive: true);
            if (!storage.Failed) break;
        }
        Expect.Above(n, 5);

        // The compiler counts its parameters over all kernels of the process.
        static string Unnumbered(PtxModule module) => Regex.Replace(module.Text, @"_x_\d+", "_x");
    }
}
