namespace ChemScale.Tests.House;

/// <summary>The folder that holds Engine.sln, above the test program.</summary>
internal static class Repository
{
    /// <summary>Null where the program was published and stands somewhere else.</summary>
    public static string? Found { get; } = Find();

    public static string Root => Found ?? throw new DirectoryNotFoundException("the tests run outside the repository");

    private static string? Find()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Engine.sln"))) folder = folder.Parent;
        return folder?.FullName;
    }
}

/// <summary>What is written by hand: C# files below a folder of the repository, without what builds leave there.</summary>
internal static class SourceFiles
{
    /// <summary>Paths relative to the repository, with forward slashes, in order.</summary>
    public static IEnumerable<string> Under(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Repository.Root, f).Replace('\\', '/'))
            .Where(f => !f.Split('/').Any(part => part is "obj" or "bin"))
            .Order(StringComparer.Ordinal);
}
