using System.Management.Automation.Language;
using NUnit.Framework;

namespace ChemScale.Tests.House;

public class BuildScriptTests
{
    [Test]
    public void The_script_parses_and_calls_nothing_but_dotnet()
    {
        string path = Path.Combine(Repository.Root, "build.ps1");
        ScriptBlockAst ast = Parser.ParseFile(path, out _, out ParseError[] errors);
        Assert.That(errors, Is.Empty);
        string?[] commands = [.. ast.FindAll(node => node is CommandAst, true).Cast<CommandAst>().Select(c => c.GetCommandName()).Distinct()];
        Assert.That(commands, Is.EquivalentTo(["Set-Location", "dotnet"]));
    }

    [Test]
    public void Each_task_is_a_command_of_the_readme()
    {
        string script = File.ReadAllText(Path.Combine(Repository.Root, "build.ps1")), readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        foreach (string command in (string[])["dotnet test -c Release", "dotnet run -c Release --project src/Cli -- study"])
        {
            Assert.That(script, Does.Contain(command));
            Assert.That(readme, Does.Contain(command));
        }
    }
}
