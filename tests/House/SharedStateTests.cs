using System.Text.RegularExpressions;
using NUnit.Framework;

namespace ChemScale.Tests.House;

/// <summary>What runs of one process would share unawares. Calls that always do are banned by the compiler: src/BannedSymbols.txt.</summary>
public partial class SharedStateTests
{
    /// <summary>Fixtures run side by side, and one test looks at torch's own generator while it is alone.</summary>
    private static readonly string[] Excepted = ["tests/House/SharedStateTests.cs", "tests/Operators/GradientsTests.cs"];

    [Test]
    public void Every_draw_names_a_generator([Values("src", "tests")] string folder)
    {
        IEnumerable<string> nameless = SourceFiles.Under(folder).Except(Excepted).SelectMany(file => File.ReadLines(Path.Combine(Repository.Root, file))
            .Where(line => (Draw().IsMatch(line) && !line.Contains("generator", StringComparison.Ordinal)) || line.Contains(" manual_seed(", StringComparison.Ordinal))
            .Select(line => $"{file}: {line.Trim()}"));
        Assert.That(nameless, Is.Empty);
        Assert.That(Draw().IsMatch("Tensor noise = rand(source.shape);"));
    }

    [Test]
    public void What_is_banned_is_banned_where_the_engine_and_the_command_are_built()
    {
        foreach (string project in (string[])["src/Engine/Engine.csproj", "src/Cli/Cli.csproj"])
            Assert.That(File.ReadAllText(Path.Combine(Repository.Root, project)), Does.Contain("BannedApiAnalyzers").And.Contain("../BannedSymbols.txt"));
        string banned = File.ReadAllText(Path.Combine(Repository.Root, "src/BannedSymbols.txt"));
        foreach (string call in (string[])["torch.Tensor.backward", "torch.autograd", "torch.manual_seed", "torch.random", "torch.set_num_threads"])
            Assert.That(banned, Does.Contain(call));
    }

    [GeneratedRegex(@"(?<![\w""<])(rand|randn|randint|randperm|rand_like|randn_like|bernoulli_?|multinomial|normal_|uniform_|exponential_|random_)\(")]
    private static partial Regex Draw();
}
