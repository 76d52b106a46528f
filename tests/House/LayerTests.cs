using System.Reflection;
using ChemScale.Engine;
using NUnit.Framework;

namespace ChemScale.Tests.House;

/// <summary>
/// Holds the arrows between folders. Each folder of src/Engine names the project's root (its exceptions), itself, Files, and what is listed.
/// </summary>
public class LayerTests
{
    private const string Kernels = "ChemScale.Kernels";

    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Files"] = [],
        ["Native"] = [],
        ["Chemistry"] = [],
        ["Stores"] = ["Files"],
        ["Atoms"] = ["Native", "Files", "Stores"],
        ["Tokens"] = ["Chemistry", "Files", "Stores"],
        ["Operators"] = ["Native", "Atoms", Kernels],
        ["Models"] = ["Native", "Operators", "Chemistry", "Tokens", "Atoms"],
        ["Training"] = ["Native", "Files", "Stores", "Operators", "Models", "Chemistry", "Tokens", "Atoms"],
        ["Simulation"] = ["Native", "Operators", "Models", "Atoms", "Numerics"],
        ["Generation"] = ["Native", "Operators", "Models", "Chemistry", "Tokens"],
        ["Numerics"] = [],
        ["Estimation"] = ["Numerics"],
        ["Scaling"] = ["Numerics"],
        ["Studies"] =
        [
            "Native", "Files", "Stores", "Chemistry", "Atoms", "Tokens", "Operators", "Models", "Training", "Simulation", "Generation", "Estimation", "Scaling", "Numerics",
        ],
    };

    private static readonly Assembly Engine = typeof(InputException).Assembly;

    [Test]
    public void Every_folder_of_the_engine_has_its_arrows_listed()
    {
        IEnumerable<string> folders = Engine.GetTypes().Select(Layer).OfType<string>().Distinct();
        Assert.That(folders, Is.SubsetOf(Allowed.Keys));
    }

    [TestCaseSource(nameof(Folders))]
    public void A_folder_names_only_lower_ones(string folder)
    {
        var wrong = new SortedSet<string>(StringComparer.Ordinal);
        foreach (Type type in Engine.GetTypes().Where(t => Layer(t) == folder))
        {
            foreach (Type named in References.Of(type))
            {
                string? other = Layer(named);
                if (other is not null && other != folder && other != "Files" && !Allowed[folder].Contains(other)) wrong.Add($"{type.FullName} names {named.FullName}");
            }
        }
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Kernels_know_no_tensor_library_and_no_engine()
    {
        IEnumerable<string?> names = typeof(ChemScale.Kernels.Device.CudaDriver).Assembly.GetReferencedAssemblies().Select(a => a.Name);
        Assert.That(names.Where(n => n!.StartsWith("TorchSharp", StringComparison.Ordinal) || n.StartsWith("ChemScale", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void The_command_line_names_no_kernel_and_no_tensor() =>
        Assert.That(typeof(ChemScale.Cli.Program).Assembly.GetReferencedAssemblies().Select(a => a.Name), Has.No.Member(Kernels).And.No.Member("TorchSharp"));

    private static IEnumerable<string> Folders() => Allowed.Keys;

    /// <summary>Folder below src/Engine that a type lives in, the kernels' assembly as one; null for the root and for anything foreign.</summary>
    private static string? Layer(Type type)
    {
        if (type.Assembly.GetName().Name == Kernels) return Kernels;
        if (type.Assembly != Engine || type.Namespace is not { } space || !space.StartsWith("ChemScale.Engine", StringComparison.Ordinal)) return null;
        string[] parts = space.Split('.');
        return parts.Length > 2 ? parts[2] : null;
    }
}
