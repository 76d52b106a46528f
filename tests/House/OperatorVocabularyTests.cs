using System.Reflection;
using ChemScale.Engine;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Kernels.Device;
using NUnit.Framework;

namespace ChemScale.Tests.House;

/// <summary>The files and names of operations, as docs/OPERATORS.md has them.</summary>
public class OperatorVocabularyTests
{
    private const string Space = "ChemScale.Engine.Operators";

    /// <summary>Functions older than <see cref="IOperationPasses"/>. Whoever writes their passes anew takes them off; none is added.</summary>
    private static readonly string[] Unconverted =
    [
        "AllegroTensorProductKernelsFunction", "AttentionHostFunction", "AttentionKernelsFunction", "CrossEntropyKernelsFunction", "GeluHostFunction",
        "LayerNormKernelsFunction", "LinearGeluKernelsFunction", "PaiNNInvariantsKernelsFunction", "PaiNNMessageHostFunction",
        "PaiNNMessageKernelsFunction", "PaiNNMessageKernelsGradient", "PaiNNUpdateKernelsFunction",
    ];

    /// <summary>Launchers that still take a long list, to be shortened with their operation.</summary>
    private static readonly string[] LongLaunchers =
        ["AttentionLauncher", "BinLauncher", "CrossEntropyLauncher", "MatrixAttentionLauncher"];

    private static readonly Assembly Engine = typeof(InputException).Assembly;

    private static readonly string[] Forms = ["Composed", "Host", "Kernels"];

    private static string Folder { get; } = Path.Combine(Repository.Root, "src", "Engine", "Operators");

    [Test]
    public void No_type_is_named_as_a_folder() => Assert.That(
        Directory.GetDirectories(Folder).Select(Path.GetFileName).Intersect(Types().Select(t => t.Name)), Is.Empty);

    [Test]
    public void A_file_of_a_form_stands_beside_its_operation() => Assert.That(
        from file in Directory.GetFiles(Folder, "*.cs", SearchOption.AllDirectories)
        let name = Path.GetFileNameWithoutExtension(file)
        from form in Forms
        where name.EndsWith(form, StringComparison.Ordinal) && name.Length > form.Length
        where !File.Exists(Path.Combine(Path.GetDirectoryName(file)!, name[..^form.Length] + ".cs"))
        select file,
        Is.Empty);

    [Test]
    public void Every_set_of_passes_has_its_operation_and_its_composed_form()
    {
        Type[] passes = [.. Types().Where(t => t is { IsClass: true } && typeof(IOperationPasses).IsAssignableFrom(t))];
        Assert.That(passes.Select(t => t.Name), Is.SupersetOf((string[])["ContinuousFilterHost", "ContinuousFilterKernels", "RadialBasisCutoffKernels"]));
        foreach (Type type in passes)
        {
            string? form = Forms.FirstOrDefault(f => type.Name.EndsWith(f, StringComparison.Ordinal));
            Assert.That(form, Is.AnyOf("Host", "Kernels"), $"{type.Name} is no form");
            string operation = type.Name[..^form!.Length], folder = Path.Combine(Folder, type.Namespace!.Split('.')[^1]);
            foreach (string name in (string[])[type.Name, operation, operation + "Composed"])
            {
                Assert.That(File.Exists(Path.Combine(folder, name + ".cs")), $"{type.Name}: no {name}.cs");
                Type? own = Engine.GetType($"{type.Namespace}.{name}");
                Assert.That(own, Is.Not.Null, $"{type.Name}: no {name}");
                if (name != type.Name) Assert.That(own!.GetMethods().Any(m => m is { Name: "Apply", IsStatic: true }), $"{name} has no Apply");
            }
        }
    }

    [Test]
    public void There_is_one_autograd_function() => Assert.That(
        Types().Where(t => t.BaseType == typeof(AutogradFunction) && t.DeclaringType is null).Select(t => t.Name), Is.EquivalentTo(Unconverted));

    [Test]
    public void A_form_is_no_launch_and_no_sum() => Assert.That(
        Types().Select(t => t.Name).Where(n => n.EndsWith("Launch", StringComparison.Ordinal) || n.EndsWith("KernelFunction", StringComparison.Ordinal)
            || n.EndsWith("Form", StringComparison.Ordinal)).Except(["Launch"]),
        Is.Empty);

    [Test]
    public void Launches_take_eight_arguments_at_most() => Assert.That(
        typeof(CudaDriver).Assembly.GetTypes().Where(t => t.Name.Split('`')[0].EndsWith("Launcher", StringComparison.Ordinal))
            .Where(t => t.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly).Any(m => m.GetParameters().Length > 8))
            .Select(t => t.Name.Split('`')[0]),
        Is.EquivalentTo(LongLaunchers));

    private static IEnumerable<Type> Types() => Engine.GetTypes().Where(t => t.Namespace is { } space && (space + ".").StartsWith(Space + ".", StringComparison.Ordinal));
}
