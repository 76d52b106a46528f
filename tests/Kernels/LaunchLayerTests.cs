using System.Reflection;
using System.Runtime.Loader;
using System.Text.RegularExpressions;
using ChemScale.Engine.Files;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Ptx;
using NUnit.Framework;

namespace ChemScale.Tests.Kernels;

/// <summary>What a CUDA device is given and what it says, as far as that needs none.</summary>
[Parallelizable(ParallelScope.Self)]
public partial class LaunchLayerTests
{
    [TestCase(700, "CUDA_ERROR_ILLEGAL_ADDRESS", true)]
    [TestCase(716, "CUDA_ERROR_MISALIGNED_ADDRESS", true)]
    [TestCase(715, "CUDA_ERROR_ILLEGAL_INSTRUCTION", true)]
    [TestCase(719, "CUDA_ERROR_LAUNCH_FAILED", true)]
    [TestCase(2, "CUDA_ERROR_OUT_OF_MEMORY", false)]
    [TestCase(701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", false)]
    [TestCase(911, null, false)]
    public void An_error_has_the_drivers_name_and_says_whose_it_may_be(int code, string? name, bool late)
    {
        KernelException e = CudaErrors.Of(code, "launching Some.Kernel on 3 groups of 64", names: asked => asked == code ? name : "another");
        Assert.That(e.Message, Does.StartWith("launching Some.Kernel on 3 groups of 64: ").And.Contain(name is null ? "(CUDA error 911)" : $"({name}, CUDA error {code})"));
        Assert.That(e.Message.Contains("CUDA_LAUNCH_BLOCKING=1", StringComparison.Ordinal), Is.EqualTo(late));
        // Waited for, it is this kernel's.
        Assert.That(CudaErrors.Of(code, "kernel Some.Kernel", own: true, names: _ => name).Message, Does.Not.Contain("HINT: CUDA_LAUNCH_BLOCKING"));
    }

    [Test]
    public void Kernels_compile_at_the_same_time_to_what_they_do_alone()
    {
        // Without those that take a second each.
        KernelMethod[] kernels = [.. KernelFamilies.Types.Where(f => f.Name != "FilterKernels").SelectMany(f => KernelFamilies.Variants(f).Take(2)).Select(v => v.Kernel)];
        string[] together = [.. kernels.AsParallel().AsOrdered().WithDegreeOfParallelism(4).Select(k => KernelCompiler.Compile(k, "sm_90").Text)];
        for (int i = 0; i < kernels.Length; i++)
            Assert.That(Opcodes(kernels[i], together[i]), Is.EqualTo(Opcodes(kernels[i], PtxDevice.Module(kernels[i]).Text)), kernels[i].Name);

        // Parameters and labels are numbered over all kernels of the process, and moves before a loop come in any order.
        static IEnumerable<string> Opcodes(KernelMethod kernel, string text) =>
            new PtxText(kernel.Name, text).Lines.Select(line => line.Opcode).Order(StringComparer.Ordinal);
    }

    [Test]
    public void A_family_is_one_module_with_all_its_kernels()
    {
        foreach (Type family in KernelFamilies.Types)
        {
            PtxModule[] modules = [.. KernelFamilies.Variants(family).Select(v => PtxDevice.Module(v.Kernel))];
            var joined = FamilyModule.Of(modules);
            string text = joined.Module.Text;
            foreach (string head in (string[])[".version ", ".target ", ".address_size "])
                Assert.That(Regex.Count(text, "^" + Regex.Escape(head), RegexOptions.Multiline), Is.EqualTo(1), family.Name);
            Expect.AtMost(Regex.Count(text, "__dyn_shared_alloca\\["), 1, family.Name);
            Assert.That(joined.EntryPoints, Is.Unique);
            Assert.That(EntryPoint().Matches(text).Select(m => m.Groups[1].Value), Is.EqualTo(joined.EntryPoints), family.Name);
            // Bodies are as they were.
            Assert.That(Regex.Count(text, "^\\}", RegexOptions.Multiline), Is.EqualTo(modules.Length), family.Name);
            foreach (PtxModule module in modules) Assert.That(text, Does.Contain(module.Text[module.Text.IndexOf('{', StringComparison.Ordinal)..].TrimEnd()));
        }
    }

    [Test]
    public void A_kernel_has_the_identity_of_its_code_whatever_build_it_is_in()
    {
        byte[] image = File.ReadAllBytes(typeof(KernelFamilies).Assembly.Location);
        byte[] build = typeof(KernelFamilies).Module.ModuleVersionId.ToByteArray();
        string[] here = Identities(typeof(KernelFamilies).Assembly), again = Identities(Loaded(image, build, Guid.NewGuid().ToByteArray()));
        Assert.That(here, Is.Unique);
        Assert.That(again, Is.EqualTo(here));
        // ln 2, which softplus subtracts in float64 and float32: of the kernels that call it, and of no other.
        string[] changed = Identities(Loaded(image, BitConverter.GetBytes(0.69314718055994530942), BitConverter.GetBytes(0.7)));
        string[] names = [.. KernelFamilies.Types.SelectMany(KernelFamilies.Variants).Select(v => v.Kernel.Name)];
        string[] differ = [.. names.Where((_, i) => changed[i] != here[i])];
        Assert.That(differ, Has.Some.StartsWith("FilterForward").And.None.StartsWith("BinStarts").And.None.StartsWith("RowEdges"));

        static string[] Identities(Assembly assembly)
        {
            Type families = assembly.GetType(typeof(KernelFamilies).FullName!)!;
            var types = (IEnumerable<Type>)families.GetField(nameof(KernelFamilies.Types))!.GetValue(null)!;
            return [.. types.SelectMany(t => ((System.Collections.IEnumerable)families.GetMethod(nameof(KernelFamilies.Variants))!.Invoke(null, [t])!).Cast<object>())
                .Select(v => v.GetType().GetProperty(nameof(KernelVariant.Kernel))!.GetValue(v)!)
                .Select(k => (string)k.GetType().GetProperty(nameof(KernelMethod.Identity))!.GetValue(k)!)];
        }

        static Assembly Loaded(byte[] image, byte[] from, byte[] to)
        {
            byte[] other = [.. image];
            int changes = 0;
            for (int at = other.AsSpan().IndexOf(from); at >= 0; at = other.AsSpan().IndexOf(from))
            {
                to.CopyTo(other.AsSpan(at));
                changes++;
            }
            Expect.Above(changes, 0);
            return new AssemblyLoadContext(null).LoadFromStream(new MemoryStream(other));
        }
    }

    [Test, Platform("Linux")]
    public void A_file_is_read_only_where_nobody_else_can_have_written_it()
    {
        if (!OperatingSystem.IsLinux()) return;
        string folder = Directory.CreateTempSubdirectory("chemscale-own-").FullName, file = Path.Combine(folder, "a.ptx");
        try
        {
            File.WriteAllText(file, "mine");
            using (FileStream? open = Ownership.OpenPrivate(file)) Assert.That(open, Is.Not.Null);
            File.SetUnixFileMode(file, (UnixFileMode)0b110_110_110);
            Assert.That(Ownership.OpenPrivate(file), Is.Null, "others may write to it");
            File.SetUnixFileMode(file, (UnixFileMode)0b110_000_000);
            File.CreateSymbolicLink(Path.Combine(folder, "b.ptx"), "/etc/passwd");
            if (Environment.UserName != "root") Assert.That(Ownership.OpenPrivate(Path.Combine(folder, "b.ptx")), Is.Null, "a link to another's");
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
            Assert.That(Ownership.OpenPrivate(file), Is.Null, "a folder that others may use");
            Assert.That(Ownership.PrivacyObjection(folder), Does.Contain("mode 0755"));
            Assert.That(Ownership.OpenPrivate(Path.Combine(folder, "none.ptx")), Is.Null);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [GeneratedRegex(@"^\.visible \.entry (\w+)\(", RegexOptions.Multiline)]
    private static partial Regex EntryPoint();
}
