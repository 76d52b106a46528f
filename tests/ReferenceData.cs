using ChemScale.Engine;
using ChemScale.Tests.House;
using NUnit.Framework;

namespace ChemScale.Tests;

/// <summary>The optional folder of reference data: <see cref="DataFolder"/>, looked for beside the repository.</summary>
public static class ReferenceData
{
    public static string? Root { get; } = DataFolder.Find(Repository.Found ?? AppContext.BaseDirectory);

    /// <summary>Files that match <paramref name="pattern"/> under <paramref name="folder"/>, sorted; empty where the data are absent.</summary>
    public static string[] Files(string folder, string pattern)
    {
        if (Root is null) return [];
        string directory = Path.Combine(Root, folder);
        if (!Directory.Exists(directory)) return [];
        string[] files = Directory.GetFiles(directory, pattern);
        Array.Sort(files, StringComparer.Ordinal);
        return files;
    }

    /// <summary>Test cases named after the files, for <c>TestCaseSource</c>; one case that skips, with the reason, where there is none.</summary>
    public static IEnumerable<TestCaseData> Cases(string folder, string pattern)
    {
        string[] files = Files(folder, pattern);
        foreach (string file in files) yield return new TestCaseData(file).SetArgDisplayNames(Path.GetFileName(file)).SetCategory("Data");
        if (files.Length == 0)
            yield return new TestCaseData("").SetArgDisplayNames(pattern).SetCategory("Data").Ignore($"no {folder}/{pattern}: set CHEMSCALE_DATA");
    }

    /// <summary>One file; the calling test is skipped, with the reason, where it is absent.</summary>
    public static string Require(string relativePath)
    {
        string? path = Root is null ? null : Path.Combine(Root, relativePath);
        if (path is null || !File.Exists(path)) Assert.Ignore($"{relativePath} not found: set CHEMSCALE_DATA");
        return path!;
    }
}
