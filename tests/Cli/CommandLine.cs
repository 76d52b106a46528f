using System.Diagnostics;
using System.Text;
using ChemScale.Cli;

namespace ChemScale.Tests.Cli;

/// <summary>What a command left behind.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public override string ToString() => $"exit code {ExitCode}\noutput: {Output}\nerror: {Error}";
}

/// <summary>The command, in a process of its own or, where nothing of a process matters, in this one: a start costs half a second.</summary>
internal static class CommandLine
{
    private static readonly string Assembly = typeof(Verb).Assembly.Location;

    /// <summary>The command in this process: standard output and error are caught.</summary>
    public static Outcome Here(params string[] arguments) => Here(Program.Run, arguments);

    /// <summary>Any program's entry point, likewise.</summary>
    public static Outcome Here(Func<string[], int> main, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using (CallConsole.Redirect(output, error))
            return new Outcome(main(arguments), output.ToString(), error.ToString());
    }

    /// <summary>The command in a process, to its end.</summary>
    public static Outcome Run(IEnumerable<string> arguments, byte[]? input = null) => new RunningCommand(Dotnet([Assembly, .. arguments]), input).Wait();

    /// <summary>A program of .NET in a process, with more in its environment.</summary>
    public static Outcome Run(string program, IEnumerable<(string Name, string Value)> environment, IEnumerable<string> arguments)
    {
        ProcessStartInfo start = Dotnet([program, .. arguments]);
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        return new RunningCommand(start, null).Wait();
    }

    public static RunningCommand Start(params string[] arguments) => new(Dotnet([Assembly, .. arguments]), null);

    /// <summary>The command as bash runs it; <paramref name="script"/> names it <c>"$@"</c>.</summary>
    public static Outcome Bash(string script, params string[] arguments) => StartBash(script, arguments).Wait();

    public static RunningCommand StartBash(string script, params string[] arguments)
    {
        ProcessStartInfo start = Dotnet([]);
        start.FileName = "bash";
        foreach (string argument in (string[])["-c", script, "bash", Host, Assembly, .. arguments]) start.ArgumentList.Add(argument);
        return new RunningCommand(start, null);
    }

    private static string Host => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    /// <summary>A script of the repository, given the command as its arguments.</summary>
    public static RunningCommand StartScript(string script)
    {
        ProcessStartInfo start = Dotnet([]);
        start.FileName = "bash";
        foreach (string argument in (string[])[script, Host, Assembly]) start.ArgumentList.Add(argument);
        return new RunningCommand(start, null);
    }

    private static ProcessStartInfo Dotnet(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Host)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = new UTF8Encoding(false),
            StandardErrorEncoding = new UTF8Encoding(false),
        };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        // The published command is compiled ahead. This one is not, and what it does seldom pays for more than the quickest compilation: a quarter less to start.
        start.Environment["DOTNET_TC_QuickJitForLoops"] = "1";
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        return start;
    }
}
