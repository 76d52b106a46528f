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
    public void Make()
    {
        folder = Path.Combine(Path.GetTempPath(), "kernels-" + Guid.NewGuid().ToString("N"));
        told.Clear();
    }

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
        Assert.That(told.Single(), Does.Contain(file).And.Contain("no whole module").And.Contain("compiled and written anew").And.Not.Contain("\n"));
        Expect.Above(File.ReadAllText(file).Length, 0.9 * text.Length);
        // A digit that has changed is no better.
        text = File.ReadAllText(file);
        File.WriteAllText(file, text.Replace(".version 7.8", ".version 7.7", StringComparison.Ordinal));
        Assert.That(NewCache().Get(Kernel, "sm_90").Text, Does.Contain(".version 7.8"));
        Assert.That(told, Has.Count.EqualTo(2));
    }

    [Test]
    public void A_family_is_loaded_as_one_module_where_nothing_has_to_be_compiled_for_it()
    {
        KernelMethod[] family = [.. KernelFamilies.Variants(KernelFamilies.Types.Single(t => t.Name == "GeluBiasKernels")).Select(v => v.Kernel)];
        Expect.AtLeast(family.Length, 4);
        // Nothing is there yet: each kernel alone, and no other compiled.
        ModuleCache cold = NewCache();
        (KernelModules Modules, List<string> Loaded) first = Device(cold);
        Assert.That(first.Modules.Get(family[1]), Is.EqualTo(((nint)1, cold.Get(family[1], "sm_90").EntryPoint)));
        Assert.That(first.Modules.Get(family[1]).Module, Is.EqualTo((nint)1));
        Assert.That(first.Loaded, Is.EqualTo(new[] { family[1].Name }));
        Assert.That(cold.Compiled, Is.EqualTo(1));
        // All are: another process takes them together, once, whoever asks first.
        foreach (KernelMethod kernel in family) _ = cold.Get(kernel, "sm_90");
        ModuleCache other = NewCache();
        (KernelModules Modules, List<string> Loaded) warm = Device(other);
        (nint Module, string EntryPoint)[] found = [.. family.AsParallel().AsOrdered().Select(warm.Modules.Get)];
        Assert.That(warm.Loaded, Is.EqualTo(new[] { "GeluBiasKernels" }));
        Assert.That(found.Select(f => f.Module), Is.All.EqualTo((nint)1));
        Assert.That(found.Select(f => f.EntryPoint), Is.Unique);
        Assert.That(other.Compiled, Is.Zero);
        // Some are torn.
        foreach (string file in Directory.GetFiles(folder).Take(2)) File.WriteAllText(file, "// entry");
        (KernelModules Modules, List<string> Loaded) again = Device(NewCache());
        Assert.That(again.Modules.Get(family[0]).Module, Is.EqualTo((nint)1));
        Assert.That(again.Loaded, Is.EqualTo(new[] { family[0].Name }));
        // What a device refuses it may take later.
        bool refuses = true;
        var late = new KernelModules(other, "sm_90", (_, name) => refuses ? throw new KernelException(KernelFault.OutOfMemory, name) : 7);
        Assert.That(() => late.Get(family[0]), Throws.TypeOf<KernelException>().With.Message.EqualTo("GeluBiasKernels"));
        refuses = false;
        Assert.That(late.Get(family[0]).Module, Is.EqualTo((nint)7));

        static (KernelModules, List<string>) Device(ModuleCache cache)
        {
            var loaded = new List<string>();
            return (new KernelModules(cache, "sm_90", (module, name) =>
            {
                lock (loaded)
                {
                    Assert.That(module.Text, Does.Contain($".entry {module.EntryPoint}("));
                    loaded.Add(name);
                    return loaded.Count;
                }
            }), loaded);
        }
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

    [Test, Platform("Linux")]
    public void A_folder_that_others_may_write_to_is_neither_read_nor_written_and_told_in_a_line()
    {
        if (!OperatingSystem.IsLinux()) return;
        _ = NewCache().Get(Kernel, "sm_90");
        string file = Directory.GetFiles(folder).Single();
        // As whole as any, and nobody knows whose.
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
        var cache = new ModuleCache(folder, (path, _) => Assert.Fail(path)) { Refuses = Ownership.PrivacyObjection, Told = told.Add };
        _ = cache.Get(Kernel, "sm_90");
        _ = cache.Get(KernelMethod.Of(BadKernels.NoVectors), "sm_90");
        Assert.That(cache.Compiled, Is.EqualTo(2));
        Assert.That(cache.Known(KernelMethod.Of(BadKernels.Float64), "sm_90"), Is.Null);
        Assert.That(told.Single(), Does.StartWith($"kernel cache {folder}: ").And.Contain("mode 0777").And.Contain("HINT: XDG_CACHE_HOME").And.Not.Contain("\n"));
        Assert.That(Directory.GetFiles(folder), Is.EqualTo(new[] { file }));
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
