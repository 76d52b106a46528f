using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using NUnit.Framework;
using TorchSharp;

namespace ChemScale.Tests.Native;

/// <summary>Objects that native code works on live until it is done.</summary>
public class NativeLifetimeTests
{
    [Test]
    public void The_loaded_TorchSharp_leaves_no_method_unprotected()
    {
        List<string> found = LifetimeAudit.Find(typeof(torch).Assembly, out int looked);
        Assert.That(found, Is.Empty, string.Join("\n", found));
        Assert.That(looked, Is.GreaterThan(1000));
    }

    [Test]
    public void The_package_TorchSharp_leaves_hundreds_unprotected()
    {
        var context = new AssemblyLoadContext("package", isCollectible: true);
        List<string> found = LifetimeAudit.Find(context.LoadFromAssemblyPath(Original), out int looked);
        context.Unload();
        TestContext.Out.WriteLine($"{found.Count} of {looked}");
        Assert.That(found, Has.Count.GreaterThan(800));
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
        Assert.That(compiled, Is.GreaterThan(5000));
    }

    private static string Original => Environment.GetEnvironmentVariable("ORIG")!;
}
