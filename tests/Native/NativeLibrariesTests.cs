using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using NUnit.Framework;
using TorchSharp;

namespace ChemScale.Tests.Native;

[Category("Smoke")]
public class NativeLibrariesTests
{
    [Test]
    public void Torch_multiplies_matrices_after_loading()
    {
        using var a = torch.tensor(new[] { 1.0, 2, 3, 4 }).reshape(2, 2);
        using var product = a.matmul(a);
        Assert.That(product.data<double>().ToArray(), Is.EqualTo(new[] { 7.0, 10, 15, 22 }));
    }

    [Test]
    public void Output_folder_holds_no_copy_of_libtorch()
    {
        string[] copies = Directory.GetFiles(AppContext.BaseDirectory, "libtorch_cpu*", SearchOption.AllDirectories);
        Assert.That(copies, Is.Empty);
    }

    [Test]
    public void Marking_a_version_weak_changes_one_byte_per_requirement()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64) Assert.Ignore("the shim is an x64 ELF file");
        string shim = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
        byte[] before = File.ReadAllBytes(shim), after = File.ReadAllBytes(shim);
        int marked = SymbolVersions.MakeWeak(after, "GLIBCXX_3.4.32");
        int changed = before.Zip(after).Count(pair => pair.First != pair.Second);
        Assert.That(marked, Is.EqualTo(1));
        Assert.That(changed, Is.EqualTo(1));
        Assert.That(SymbolVersions.MakeWeak(after, "GLIBCXX_9.9.9"), Is.Zero);
    }

    [Test]
    public void A_file_that_is_no_library_is_refused() =>
        Assert.That(() => SymbolVersions.MakeWeak(new byte[128], "X"), Throws.TypeOf<InvalidDataException>());
}
