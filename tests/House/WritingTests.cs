using System.Text.RegularExpressions;
using NUnit.Framework;

namespace ChemScale.Tests.House;

/// <summary>Files are written in one place, so that each write is flushed, atomic, and can be made to fail by a test.</summary>
public partial class WritingTests
{
    /// <summary>What else may change a file, and why.</summary>
    private static readonly Dictionary<string, string> Exceptions = new()
    {
        ["src/Engine/Training/Runs/RunClaim.cs"] = "a heartbeat is the time of an open file: it is not written",
        ["src/Engine/Stores/StoreStamp.cs"] = "without a stamp the next opening reads more and nothing else: no failure there matters",
        ["src/Engine/Native/Weaver/Program.cs"] = "a tool of the build, which is not of the engine",
    };

    [Test]
    public void Nothing_outside_the_storage_writes_moves_or_deletes_a_file()
    {
        List<string> wrong = [], right = [];
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories))
        {
            string name = Path.GetRelativePath(Repository.Root, file).Replace('\\', '/');
            if (name.Contains("/obj/", StringComparison.Ordinal) || name.Contains("/bin/", StringComparison.Ordinal)) continue;
            string[] lines = File.ReadAllLines(file);
            for (int i = 0; i < lines.Length; i++)
            {
                if (lines[i].TrimStart().StartsWith("//", StringComparison.Ordinal) || !Writing().IsMatch(lines[i])) continue;
                bool allowed = name.StartsWith("src/Engine/Files/", StringComparison.Ordinal) || Exceptions.ContainsKey(name);
                (allowed ? right : wrong).Add($"{name}:{i + 1}: {lines[i].Trim()}");
            }
        }
        Assert.That(wrong, Is.Empty);
        // The pattern finds what is there.
        Expect.Above(right.Count, 8);
        Assert.That(Exceptions.Keys.Where(name => !right.Any(line => line.StartsWith(name, StringComparison.Ordinal))), Is.Empty, "no longer needed");
    }

    [TestCase("using var writer = new StreamWriter(path);")]
    [TestCase("File.AppendAllText(path, text);")]
    [TestCase("await File.WriteAllBytesAsync(path, bytes);")]
    [TestCase("new FileStream(path, FileMode.Open, FileAccess.ReadWrite)")]
    [TestCase("new FileInfo(path).MoveTo(other);")]
    [TestCase("info.Delete();")]
    [TestCase("ZipFile.CreateFromDirectory(a, b);")]
    [TestCase("System.IO.File.Move(a, b);")]
    public void The_pattern_knows_the_ways_to_write(string line) => Assert.That(Writing().IsMatch(line));

    [TestCase("using FileStream stream = File.OpenRead(path);")]
    [TestCase("new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read)")]
    [TestCase("var writer = new StringWriter();")]
    public void The_pattern_leaves_reading_alone(string line) => Assert.That(Writing().IsMatch(line), Is.False);

    [GeneratedRegex(@"\bFile\.(Write|Append|Move|Replace|Copy|Delete|Create|OpenWrite|Set|Encrypt)|\bFile\.Open\(.*(Write|Create|Truncate|Append)|\bFile\.OpenHandle\(.*Write"
        + @"|\bDirectory\.(Move|Delete|Create|Set)|FileMode\.(Create|CreateNew|OpenOrCreate|Truncate|Append)\b|FileAccess\.(Write|ReadWrite)\b"
        + @"|new StreamWriter\(|\bRandomAccess\.(Write|SetLength|Flush)|\.(MoveTo|CopyTo|Delete|Create|Replace|AppendText|CreateText|OpenWrite)\((?=.*\bFileInfo\b|.*\bDirectoryInfo\b)"
        + @"|\b(FileInfo|DirectoryInfo)\b.*\.(MoveTo|CopyTo|Delete|Create|Replace|AppendText|CreateText|OpenWrite)\(|\binfo\.(MoveTo|CopyTo|Delete)\(|ZipFile\.(Create|Extract|Open\(.*(Create|Update))")]
    private static partial Regex Writing();
}
