using System.Diagnostics;
using ChemScale.Tests.Cli;
using ChemScale.Tests.House;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation;

/// <summary>A Python that has ASE, or other modules: variable CHEMSCALE_PYTHON, else the usual names.</summary>
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

    /// <summary>Runs lines of Python to their end; the calling test is skipped, with the reason, where no Python has the modules.</summary>
    /// <param name="modules">As import takes them.</param>
    /// <param name="lines">Of the program.</param>
    /// <param name="arguments">Of the program.</param>
    public static Outcome Run(string modules, string lines, params string[] arguments)
    {
        string? python = new[] { Environment.GetEnvironmentVariable("CHEMSCALE_PYTHON"), "python3", "/usr/bin/python3" }.FirstOrDefault(p => Has(p, modules));
        if (python is null) Assert.Ignore($"no python3 with {modules}: install it, or set CHEMSCALE_PYTHON");
        return new RunningCommand(Process(python!, ["-c", lines, .. arguments]), null).Wait();
    }

    private static bool HasAse(string? python) => Has(python, "ase, numpy");

    private static bool Has(string? python, string modules)
    {
        if (string.IsNullOrEmpty(python)) return false;
        try
        {
            return new RunningCommand(Process(python, ["-c", $"import {modules}"]), null).Wait().ExitCode == 0;
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
