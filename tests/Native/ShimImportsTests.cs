using System.Runtime.InteropServices;
using System.Text;
using ChemScale.Engine.Native;
using NUnit.Framework;

namespace ChemScale.Tests.Native;

[Category("Smoke")]
public sealed class ShimImportsTests
{
    private string folder = "";

    [OneTimeSetUp]
    public void Linux()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64) Assert.Ignore("the shim is an x64 ELF file");
        folder = Directory.CreateTempSubdirectory("chemscale-imports-").FullName;
    }

    [OneTimeTearDown]
    public void Remove()
    {
        if (folder.Length > 0) Directory.Delete(folder, recursive: true);
    }

    [Test]
    public void The_packaged_libtorch_has_all_that_the_shim_takes()
    {
        ShimImports imports = ShimImports.Check(Shim, Torch);
        Assert.That(imports.Missing, Is.Empty);
        Assert.That(imports.AbsentLibraries, Is.Empty);
        Expect.Above(imports.Checked, 1000);
    }

    [Test]
    public void Imports_and_libraries_are_those_of_the_file()
    {
        ElfSymbols shim = ElfSymbols.Read(Shim), core = ElfSymbols.Read(Path.Combine(Torch, "libc10.so"));
        Assert.That(shim.Libraries, Is.SupersetOf((string[])["libtorch_cpu.so", "libc10.so", "libstdc++.so.6", "libc.so.6"]));
        Assert.That(shim.Imports(), Does.Contain("memcpy").And.Not.Contains("THSTensor_data"));
        HashSet<string> names = ["THSTensor_data", "memcpy"];
        shim.RemoveExports(names);
        Assert.That(names, Is.EqualTo((string[])["memcpy"]));
        Assert.That(core.Imports().Overlaps(shim.Imports()), "both use the C library");
    }

    [Test]
    public void A_libtorch_without_one_of_its_libraries_is_told_apart()
    {
        string partial = Directory.CreateDirectory(Path.Combine(folder, "partial")).FullName;
        foreach (string file in Directory.GetFiles(Torch, "*.so*"))
            if (Path.GetFileName(file) != "libc10.so") File.CreateSymbolicLink(Path.Combine(partial, Path.GetFileName(file)), file);
        ShimImports imports = ShimImports.Check(Shim, partial);
        Assert.That(imports.Complete, Is.False);
        Assert.That(imports.AbsentLibraries, Is.EqualTo((string[])["libc10.so"]));
        Assert.That(imports.Missing, Has.Some.Contains("c1010TensorImpl"));
        HashSet<string> names = [.. imports.Missing];
        ElfSymbols.Read(Path.Combine(Torch, "libc10.so")).RemoveExports(names);
        Assert.That(names, Is.Empty, "what is missing is what that library has");
    }

    [Test]
    public void A_symbol_that_nothing_has_is_named()
    {
        // The shim under another need: one letter of an imported name changed.
        string name = ElfSymbols.Read(Shim).Imports().Where(n => n.Contains("2at6Tensor", StringComparison.Ordinal)).Order(StringComparer.Ordinal).First();
        byte[] bytes = File.ReadAllBytes(Shim), old = Encoding.ASCII.GetBytes('\0' + name + '\0');
        int at = bytes.AsSpan().IndexOf(old);
        Expect.Above(at, 0);
        bytes[at + 3] = (byte)'Q';
        string changed = Path.Combine(folder, "changed.so");
        File.WriteAllBytes(changed, bytes);
        ShimImports imports = ShimImports.Check(changed, Torch);
        Assert.That(imports.Missing, Is.EqualTo((string[])[name[..2] + 'Q' + name[3..]]));
    }

    [Test]
    public void What_is_no_library_is_refused()
    {
        string text = Path.Combine(folder, "text.so"), cut = Path.Combine(folder, "cut.so");
        File.WriteAllText(text, new string('x', 200));
        File.WriteAllBytes(cut, File.ReadAllBytes(Shim)[..5000]);
        Assert.That(() => ElfSymbols.Read(text), Throws.TypeOf<InvalidDataException>().With.Message.Contains("not a 64-bit"));
        Assert.That(() => ElfSymbols.Read(cut), Throws.TypeOf<InvalidDataException>().With.Message.Contains("cut off"));
    }

    private static string Shim => NativeLibraries.FindShim()!;

    private static string Torch => NativeLibraries.FindTorchFolder()!;
}
