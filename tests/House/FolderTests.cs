using System.Text.RegularExpressions;
using NUnit.Framework;

namespace ChemScale.Tests.House;

/// <summary>Where the files are: a type's full name says where it is written.</summary>
public partial class FolderTests
{
    private static readonly Dictionary<string, string> Roots = new()
    {
        ["src/Engine"] = "ChemScale.Engine",
        ["src/Kernels"] = "ChemScale.Kernels",
        ["src/Cli"] = "ChemScale.Cli",
        ["tests"] = "ChemScale.Tests",
        ["perf"] = "ChemScale.Perf",
    };

    [TestCaseSource(nameof(Projects))]
    public void A_file_s_namespace_is_its_folder(string root)
    {
        var wrong = new List<string>();
        foreach (string file in SourceFiles.Under(root))
        {
            Match space = Namespace().Match(File.ReadAllText(Path.Combine(Repository.Root, file)));
            string expected = string.Join('.', Path.GetDirectoryName(file)![root.Length..].Split('/').Skip(1).Prepend(Roots[root]));
            // A start-up hook is found by its name alone.
            if (space.Success ? space.Groups[1].Value != expected : Path.GetFileName(file) != "StartupHook.cs")
                wrong.Add($"{file}: {(space.Success ? space.Groups[1].Value : "no namespace")}, expected {expected}");
        }
        Assert.That(wrong, Is.Empty);
    }

    private static IEnumerable<string> Projects() => Roots.Keys;

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();
}
