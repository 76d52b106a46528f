using System.Reflection;
using System.Text.RegularExpressions;
using ChemScale.Engine;
using NUnit.Framework;

namespace ChemScale.Tests.House;

/// <summary>
/// Holds the arrows between folders. Each folder of src/Engine names the project's root (its exceptions), itself, Files, Numerics, and what is
/// listed; below that, no two folders and as few files as may be name each other in a circle.
/// </summary>
public partial class LayerTests
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
        ["Simulation"] = ["Native", "Operators", "Models", "Atoms"],
        ["Generation"] = ["Native", "Operators", "Models", "Chemistry", "Tokens"],
        ["Exchange"] = ["Native", "Files", "Stores", "Chemistry", "Atoms", "Tokens", "Models", "Training", "Studies"],
        ["Numerics"] = [],
        ["Estimation"] = [],
        ["Scaling"] = [],
        ["Studies"] =
        [
            "Native", "Files", "Stores", "Chemistry", "Atoms", "Tokens", "Operators", "Models", "Training", "Simulation", "Generation", "Estimation", "Scaling",
        ],
    };

    /// <summary>May fall, and is then set to what it fell to.</summary>
    private const int FileCircles = 22;

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
                if (other is not null && other != folder && other is not ("Files" or "Numerics") && !Allowed[folder].Contains(other)) wrong.Add(
                    $"{type.FullName} names {named.FullName}");
            }
        }
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void No_folders_name_each_other_in_a_circle()
    {
        var arrows = new Dictionary<string, Dictionary<string, HashSet<string>>>();
        foreach ((Type type, Type named) in Arrows())
        {
            // Where both paths part: two folders of one, or a folder and the files beside it.
            string[] from = type.Namespace!.Split('.'), to = named.Namespace!.Split('.');
            int shared = from.Zip(to).TakeWhile(p => p.First == p.Second).Count();
            if (shared == Math.Max(from.Length, to.Length)) continue;
            string parent = string.Join('.', from.Take(shared));
            Add(arrows, parent, from.ElementAtOrDefault(shared) ?? "its files", to.ElementAtOrDefault(shared) ?? "its files");
        }
        Assert.That(arrows.SelectMany(parent => Circles.In(parent.Value).Select(circle => $"{parent.Key}: {circle}")), Is.Empty);
    }

    [Test]
    public void Few_files_of_a_folder_name_each_other_in_a_circle()
    {
        var files = new Dictionary<string, string>();
        foreach (string file in SourceFiles.Under("src").Where(f => !f.Contains("/Weaver/", StringComparison.Ordinal)))
        {
            string text = File.ReadAllText(Path.Combine(Repository.Root, file));
            string space = Namespace().Match(text).Groups[1].Value;
            foreach (Match type in Declaration().Matches(text)) files.TryAdd($"{space}.{type.Groups[1].Value}", file);
        }
        var arrows = new Dictionary<string, Dictionary<string, HashSet<string>>>();
        foreach ((Type type, Type named) in Arrows())
        {
            if (FileOf(type) is { } from && FileOf(named) is { } to && from != to && Path.GetDirectoryName(from) == Path.GetDirectoryName(to))
                Add(arrows, Path.GetDirectoryName(from)!, Path.GetFileName(from), Path.GetFileName(to));
        }
        string[] circles = [.. arrows.SelectMany(folder => Circles.In(folder.Value).Select(circle => $"{folder.Key}: {circle}"))];
        Assert.That(circles, Has.Length.EqualTo(FileCircles), string.Join('\n', circles));
        Expect.Above(files.Count, 900);

        string? FileOf(Type type) => files.GetValueOrDefault($"{type.Namespace}.{type.Name.Split('`')[0]}");
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

    /// <summary>Which type of the engine or of the kernels names which, nested ones as the type that they are in.</summary>
    private static IEnumerable<(Type Type, Type Named)> Arrows() =>
        from type in Engine.GetTypes().Concat(typeof(ChemScale.Kernels.Device.CudaDriver).Assembly.GetTypes())
        where IsOurs(type)
        from named in References.Of(type).Select(Outer)
        where IsOurs(named) && named.Assembly == type.Assembly && named != Outer(type)
        select (Outer(type), named);

    private static bool IsOurs(Type type) =>
        type.Namespace is { } space && space.StartsWith("ChemScale.", StringComparison.Ordinal);

    private static Type Outer(Type type) => type.DeclaringType is { } outer ? Outer(outer) : type;

    private static void Add(Dictionary<string, Dictionary<string, HashSet<string>>> arrows, string parent, string from, string to)
    {
        if (!arrows.TryGetValue(parent, out Dictionary<string, HashSet<string>>? inside)) arrows[parent] = inside = [];
        if (!inside.TryGetValue(from, out HashSet<string>? named)) inside[from] = named = [];
        named.Add(to);
    }

    /// <summary>Folder below src/Engine that a type lives in, the kernels' assembly as one; null for the root and for anything foreign.</summary>
    private static string? Layer(Type type)
    {
        if (type.Assembly.GetName().Name == Kernels) return Kernels;
        if (type.Assembly != Engine || type.Namespace is not { } space || !space.StartsWith("ChemScale.Engine", StringComparison.Ordinal)) return null;
        string[] parts = space.Split('.');
        return parts.Length > 2 ? parts[2] : null;
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^(?:public|internal|static|sealed|abstract|partial|readonly|unsafe|ref| )*(?:record struct|record|class|struct|interface|enum|delegate [\w<>?\[\], .]+?) (\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
