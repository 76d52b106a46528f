using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ChemScale.Tests.Stress;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Native;

/// <summary>Objects that native code works on live until it is done.</summary>
public class NativeLifetimeTests
{
    [Test]
    public void The_loaded_TorchSharp_leaves_no_method_unprotected()
    {
        List<string> found = LifetimeAudit.Find(typeof(torch).Assembly, out int looked);
        Assert.That(found, Is.Empty, string.Join("\n", found));
        Expect.Above(looked, 1000);
    }

    [Test]
    public void The_package_TorchSharp_leaves_hundreds_unprotected()
    {
        var context = new AssemblyLoadContext("package", isCollectible: true);
        List<string> found = LifetimeAudit.Find(context.LoadFromAssemblyPath(Original), out int looked);
        context.Unload();
        TestContext.Out.WriteLine($"{found.Count} of {looked}");
        Expect.Above(found.Count, 800);
        foreach (string method in (string[])["Tensor.add:", "torch.stack:", "TensorAccessor`1.ToNDArray:", "Scalar.get_Type:"])
            Assert.That(found, Has.Some.Contains(method));
    }

    [Test]
    public void Every_method_of_the_loaded_TorchSharp_compiles()
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        int compiled = 0;
        foreach (Type type in typeof(torch).Assembly.GetTypes().Where(t => !t.ContainsGenericParameters && t.Namespace?.StartsWith("TorchSharp", StringComparison.Ordinal) == true))
        {
            foreach (MethodBase method in type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared)))
            {
                if (method.IsAbstract || method.ContainsGenericParameters || method.GetMethodBody() is null) continue;
                RuntimeHelpers.PrepareMethod(method.MethodHandle);
                compiled++;
            }
        }
        Expect.Above(compiled, 5000);
    }

    [Test]
    public void The_engine_keeps_the_objects_whose_memory_it_uses()
    {
        List<string> found = LifetimeAudit.Find(typeof(NativeLibraries).Assembly, out int looked);
        found.AddRange(LifetimeAudit.Find(typeof(CpuDevice).Assembly, out _));
        Assert.That(found, Is.Empty, string.Join("\n", found));
        Expect.Above(looked, 20);
    }

    [Test]
    public void An_address_that_its_tensor_does_not_outlive_is_found()
    {
        List<string> found = LifetimeAudit.Find(typeof(NativeLifetimeTests).Assembly, out _);
        Assert.That(found.Select(f => f[..f.IndexOf(':', StringComparison.Ordinal)][(f.LastIndexOf('.', f.IndexOf(':', StringComparison.Ordinal)) + 1)..]),
            Is.SupersetOf(new[] { nameof(Forgets), nameof(ForgetsOnOneWay), nameof(ForgetsInClosure) }).And.No.Member(nameof(Keeps)));
    }

    [Test]
    public void A_launch_keeps_the_owners_of_its_arrays()
    {
        WeakReference owner = Launched(out KernelArgument argument);
        Collect();
        Assert.That(owner.IsAlive);
        argument.KeepOwner();

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference Launched(out KernelArgument argument)
        {
            Tensor tensor = torch.ones(4).DetachFromDisposeScope();
            argument = KernelArgument.Of(KernelTensors.Array<float>(tensor).As<Pack4<float>>());
            return new WeakReference(tensor);
        }

        static void Collect()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    [Test]
    public void Two_seconds_of_small_operations_lose_nothing_to_the_collector()
    {
        RaceResult result = HandleRace.Run(long.MaxValue, TimeSpan.FromSeconds(2), 2);
        Assert.That((result.Thrown, result.Wrong), Is.EqualTo((0L, 0L)), result.ToString());
        Expect.Above(result.Operations, 500, result.ToString());
    }

    [Test, Category("Slow")]
    public void Ten_million_operations_lose_nothing_to_the_collector()
    {
        RaceResult result = HandleRace.Run(10_000_000, TimeSpan.FromHours(1), 2);
        TestContext.Out.WriteLine(result);
        Assert.That((result.Thrown, result.Wrong), Is.EqualTo((0L, 0L)), result.ToString());
        Expect.AtLeast(result.Operations, 10_000_000);
    }

    private static unsafe float Forgets(Tensor tensor)
    {
        var memory = new TensorMemory(tensor);
        return *(float*)memory.Address;
    }

    private static unsafe float ForgetsOnOneWay(Tensor tensor, bool way)
    {
        var memory = new TensorMemory(tensor);
        float first = *(float*)memory.Address;
        if (way) return first;
        memory.Dispose();
        return -first;
    }

    private static unsafe Func<float> ForgetsInClosure(Tensor tensor)
    {
        nint handle = tensor.Handle;
        return () => *(float*)handle;
    }

    private static unsafe float Keeps(Tensor tensor, bool way)
    {
        using var memory = new TensorMemory(tensor);
        return way ? *(float*)memory.Address : -*(float*)memory.Address;
    }

    private static string Original => Path.Combine(AppContext.BaseDirectory, "Unwoven", "TorchSharp.dll");
}
