using System.Diagnostics;
using NUnit.Framework;

namespace ChemScale.Tests.Chemistry.Identity;

/// <summary>A Python that has RDKit: variable CHEMSCALE_PYTHON, else the usual names.</summary>
internal static class Rdkit
{
    private static readonly Lazy<string?> Found = new(() =>
        new[] { Environment.GetEnvironmentVariable("CHEMSCALE_PYTHON"), "python3", "/usr/bin/python3" }.FirstOrDefault(Has));

    /// <summary>Runs a script; what it writes, line by line. The calling test is skipped, with the reason, where there is none.</summary>
    public static IEnumerable<string> Lines(string script, params string[] arguments)
    {
        if (Found.Value is not { } python) Assert.Ignore("no python3 with rdkit: install it, or set CHEMSCALE_PYTHON");
        else
        {
            using Process process = Start(python, ["-c", script, .. arguments]);
            while (process.StandardOutput.ReadLine() is { } line) yield return line;
            process.WaitForExit();
            Assert.That(process.ExitCode, Is.Zero, "the script failed");
        }
    }

    private static Process Start(string python, string[] arguments)
    {
        var start = new ProcessStartInfo(python) { RedirectStandardOutput = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static bool Has(string? python)
    {
        if (string.IsNullOrEmpty(python)) return false;
        try
        {
            using Process process = Start(python, ["-c", "import rdkit.Chem"]);
            return process.WaitForExit(60_000) && process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
