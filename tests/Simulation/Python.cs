using System.Diagnostics;
using ChemScale.Tests.Cli;
using ChemScale.Tests.House;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation;

/// <summary>A Python that has ASE: variable CHEMSCALE_PYTHON, else the usual names.</summary>
internal static class Python
{
    private static readonly Lazy<string?> Interpreter = new(() =>
        new[] { Environment.GetEnvironmentVariable("CHEMSCALE_PYTHON"), "python3", "/usr/bin/python3" }.FirstOrDefault(HasAse));

    /// <summary>Starts a script of this folder; the calling test is skipped, with the reason, where there is no ASE.</summary>
    public static RunningCommand Start(string script, params string[] arguments)
    {
        if (Interpreter.Value is not { } python)
        {
            Assert.Ignore("no python3 with ase: install it, or set CHEMSCALE_PYTHON");
            throw new InvalidOperationException();
        }
        return new RunningCommand(Process(python, [Path.Combine(Repository.Root, "tests", "Simulation", script), .. arguments]), null);
    }

    private static bool HasAse(string? python)
    {
        if (string.IsNullOrEmpty(python)) return false;
        try
        {
            return new RunningCommand(Process(python, ["-c", "import ase, numpy"]), null).Wait().ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static ProcessStartInfo Process(string python, string[] arguments)
    {
        var start = new ProcessStartInfo(python)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        return start;
    }
}
