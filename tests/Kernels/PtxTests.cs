using System.Reflection;
using System.Text.RegularExpressions;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Ptx;
using NUnit.Framework;

namespace ChemScale.Tests.Kernels;

/// <summary>Every kernel of the assembly compiles for the devices we name, to code without what would make it slow or unloadable.</summary>
public partial class PtxTests
{
    private static readonly string[] Architectures = ["sm_80", "sm_90", "sm_90a"];

    private static IEnumerable<TestCaseData> Families() =>
        KernelFamilies.Types.Select(t => new TestCaseData(t).SetArgDisplayNames(t.Name));

    [TestCaseSource(nameof(Families))]
    public void Kernels_compile_to_what_they_declare(Type family)
    {
        List<string> faults = [];
        int count = 0;
        foreach (KernelVariant variant in KernelFamilies.Variants(family))
        {
            foreach (string architecture in Architectures.Take(2))
            {
                bool interpreted = architecture == "sm_90";
                PtxModule module = interpreted ? PtxDevice.Module(variant.Kernel) : KernelCompiler.Compile(variant.Kernel, architecture);
                faults.AddRange(PtxInspection.Faults(module, variant).Select(fault => $"{variant} for {architecture} {fault}"));
                if (interpreted) Assert.That(new PtxProgram(variant.Kernel.Name, module.Text).Code, Is.Not.Empty);
            }
            count++;
        }
        Assert.That(faults, Is.Empty);
        Expect.Above(count, 0);
    }

    [Test]
    public void Kernels_that_round_each_operation_leave_the_driver_nothing_to_fuse()
    {
        KernelMethod[] kernels = [.. KernelFamilies.Types.SelectMany(KernelFamilies.Variants).Select(v => v.Kernel)
            .Where(k => k.Method.IsDefined(typeof(RoundEachOperationAttribute)))];
        Expect.AtLeast(kernels.Length, 4);
        foreach (KernelMethod kernel in kernels)
        {
            string text = KernelCompiler.Compile(kernel, "sm_90").Text;
            Assert.That(text, Does.Contain("mul.rn.f").And.Contain("add.rn.f"), kernel.Name);
            Assert.That(Fusible().Matches(text).Select(m => m.Value), Is.Empty, kernel.Name);
        }
        Assert.That(Fusible().IsMatch(KernelCompiler.Compile(KernelMethod.Of(BadKernels.NoVectors), "sm_90").Text), "others may fuse");
    }

    [Test]
    public void The_inspection_objects_to_a_call_of_nothing() =>
        Objects(new KernelVariant(KernelMethod.Of(BadKernels.UndefinedCall)), "which is not there");

    [Test]
    public void The_inspection_objects_to_float64_in_a_float32_kernel()
    {
        KernelMethod kernel = KernelMethod.Of(BadKernels.Float64);
        Objects(new KernelVariant(kernel), "holds float64");
        Assert.That(Faults(new KernelVariant(kernel, Float64: true)), Is.Empty);
    }

    [Test]
    public void The_inspection_objects_to_missing_vector_accesses()
    {
        KernelMethod kernel = KernelMethod.Of(BadKernels.NoVectors);
        Objects(new KernelVariant(kernel, VectorLoads: true), "vector loads");
        Objects(new KernelVariant(kernel, VectorStores: true), "vector stores");
    }

    [Test]
    public void The_inspection_objects_to_local_memory()
    {
        KernelMethod kernel = KernelMethod.Of(BadKernels.LocalMemory);
        Objects(new KernelVariant(kernel), "32 bytes of local memory");
        Assert.That(Faults(new KernelVariant(kernel, LocalBytes: 32)), Is.Empty);
    }

    [Test]
    public void The_inspection_passes_a_good_kernel() =>
        Assert.That(Faults(new KernelVariant(KernelMethod.Of(BadKernels.Good), VectorLoads: true, VectorStores: true)), Is.Empty);

    [Test]
    public void A_kernel_that_cannot_be_translated_is_named_and_spoils_nothing()
    {
        KernelMethod bad = KernelMethod.Of(BadKernels.Untranslatable);
        KernelException failure = Assert.Throws<KernelException>(() => KernelCompiler.Compile(bad, "sm_80"))!;
        Assert.That(failure.Fault, Is.EqualTo(KernelFault.BadKernel));
        Assert.That(failure.Message, Does.Contain("BadKernels.Untranslatable"));
        Assert.That(Faults(new KernelVariant(KernelMethod.Of(BadKernels.Good))), Is.Empty);
    }

    [Test]
    public void An_architecture_that_is_none_is_named()
    {
        KernelMethod good = KernelMethod.Of(BadKernels.Good);
        KernelException failure = Assert.Throws<KernelException>(() => KernelCompiler.Compile(good, "gfx90a"))!;
        Assert.That(failure.Fault, Is.EqualTo(KernelFault.BadArgument));
        Assert.That(failure.Message, Does.Contain("'gfx90a'").And.Contain("sm_80"));
    }

    [TestCaseSource(nameof(Architectures))]
    public void Text_names_its_architecture_and_the_oldest_version_that_knows_it(string architecture)
    {
        PtxModule module = KernelCompiler.Compile(KernelMethod.Of(BadKernels.Good), architecture);
        Assert.That(module.Text, Does.Contain($".target {architecture}\n"));
        string version = architecture == "sm_80" ? "7.0" : architecture == "sm_90" ? "7.8" : "8.0";
        Assert.That(module.Text, Does.Contain($".version {version}\n"));
        Assert.That(module.Text, Does.Contain($".visible .entry {module.EntryPoint}("));
    }

    [GeneratedRegex(@"\b(?:add|sub|mul|mad|fma)\.f(?:32|64)\b")]
    private static partial Regex Fusible();

    private static void Objects(KernelVariant variant, string complaint) => Assert.That(Faults(variant), Has.Some.Contains(complaint));

    private static IReadOnlyList<string> Faults(KernelVariant variant) =>
        PtxInspection.Faults(KernelCompiler.Compile(variant.Kernel, "sm_80"), variant);
}
