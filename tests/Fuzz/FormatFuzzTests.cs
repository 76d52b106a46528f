using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Simulation.Ipi;
using ChemScale.Engine.Training.Checkpoints;
using NUnit.Framework;

namespace ChemScale.Tests.Fuzz;

/// <summary>
/// Every file that the command reads, damaged: it is read, or refused by one line that says why. Nothing else is thrown, and a small file
/// takes little memory. A reader that is new belongs in <see cref="FuzzedFormats"/>.
/// </summary>
public class FormatFuzzTests
{
    private const int Short = 250;

    // CHEMSCALE_FUZZ: other cases, "200000", or "1000000-2000000" for those from one number to before another.
    private static readonly (int First, int End) Long = Range(Environment.GetEnvironmentVariable("CHEMSCALE_FUZZ"));

    // CHEMSCALE_FUZZ_LOG: a file that gets a line for each part that held; what it has already is not run again.
    private static readonly string? Log = Environment.GetEnvironmentVariable("CHEMSCALE_FUZZ_LOG");

    private const int Part = 20_000;

    // Bytes allocated for a file of a few kilobytes, all of them together.
    private const long MostAllocated = 500_000_000;

    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(10);

    private TemporaryFolder folder = null!;
    private FuzzedFormats formats = null!;

    [OneTimeSetUp]
    public void MakeFolder()
    {
        folder = new();
        formats = new FuzzedFormats(folder.Path);
    }

    [OneTimeTearDown]
    public void RemoveFolder()
    {
        formats.Dispose();
        folder.Dispose();
    }

    [TestCaseSource(typeof(FuzzedFormats), nameof(FuzzedFormats.Quick))]
    public void A_damaged_file_is_read_or_refused(string format) => Run(format, 0, Short, timed: false);

    [TestCaseSource(typeof(FuzzedFormats), nameof(FuzzedFormats.All)), Category("Slow")]
    public void A_million_damaged_files_are_read_or_refused(string format)
    {
        for (int first = Long.First; first < Long.End; first += Part)
        {
            int end = Math.Min(Long.End, first + Part);
            string part = string.Create(CultureInfo.InvariantCulture, $"{format}: cases {first} to {end}: ");
            if (Log is not null && File.Exists(Log) && File.ReadLines(Log).Any(line => line.StartsWith(part, StringComparison.Ordinal))) continue;
            string held = Run(format, first, end, timed: true);
            if (Log is not null) File.AppendAllText(Log, part + held + "\n");
        }
    }

    /// <summary>What was found of each kind, kept as it was found or as small as it could be made.</summary>
    [TestCaseSource(typeof(FuzzFindings), nameof(FuzzFindings.All))]
    public void A_file_that_went_wrong_once_is_read_or_refused(string format, byte[] content)
    {
        string path = folder["finding." + format];
        File.WriteAllBytes(path, content);
        Read(format, formats.Of(format).Read, path, "finding", out _, out _);
    }

    private string Run(string format, int first, int end, bool timed)
    {
        (Mutator mutator, Action<string> read) = formats.Of(format);
        string path = folder["case." + format];
        int refused = 0;
        long most = 0, began = Stopwatch.GetTimestamp();
        TimeSpan longest = TimeSpan.Zero, processor = Environment.CpuUsage.TotalTime;
        for (int number = first; number < end; number++)
        {
            File.WriteAllBytes(path, mutator.Case(number));
            string place = string.Create(CultureInfo.InvariantCulture, $"{format} {number}");
            if (!Read(format, read, path, place, out long allocated, out TimeSpan taken)) refused++;
            // Time is asserted where nothing else is measured beside it, and twice: the machine may have had other work.
            if (timed && taken > MostTime)
            {
                Read(format, read, path, place, out _, out taken);
                if (taken > MostTime) Assert.Fail($"{place}: {taken}");
            }
            (most, longest) = (Math.Max(most, allocated), taken > longest ? taken : longest);
        }
        // Changes after which nothing is ever read would try little.
        Expect.Below(refused, end - first);
        string held = string.Create(CultureInfo.InvariantCulture,
            $"{refused} refused, the others read; at most {most / 1e6:F0} MB and {longest.TotalSeconds:F2} s each; {ResidentMemory.Most() / 1e6:F0} MB resident at most; "
            + $"{Stopwatch.GetElapsedTime(began).TotalSeconds:F0} s, {(Environment.CpuUsage.TotalTime - processor).TotalSeconds:F1} s of processor time");
        TestContext.Out.WriteLine($"{format}: {end - first} cases, {held}");
        return held;
    }

    /// <returns>False: it was refused.</returns>
    private static bool Read(string format, Action<string> read, string path, string place, out long allocated, out TimeSpan taken)
    {
        bool whole = true;
        long before = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
        try
        {
            read(path);
        }
        catch (Exception e) when (e is InputException or SafetensorsException or IpiProtocolException)
        {
            whole = false;
            if (e is InputException && (e.Message.Length > OneLine.MostCharacters || e.Message.Any(char.IsControl))) Assert.Fail($"{place}: message '{e.Message}'");
        }
        catch (Exception e)
        {
            Assert.Fail($"{place}: {Convert.ToBase64String(File.ReadAllBytes(path))}: {e}");
        }
        taken = Stopwatch.GetElapsedTime(start);
        allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Expect.Below(allocated, MostAllocated, place);
        return whole;
    }

    private static (int First, int End) Range(string? text)
    {
        int[] numbers = [.. (text ?? "1000000").Split('-').Select(part => int.Parse(part, CultureInfo.InvariantCulture))];
        return numbers.Length == 1 ? (0, numbers[0]) : (numbers[0], numbers[1]);
    }
}

/// <summary>What the system really gave this process, at most.</summary>
internal static class ResidentMemory
{
    /// <summary>Bytes; other systems than Linux do not say: none.</summary>
    public static long Most() => !OperatingSystem.IsLinux() ? 0
        : 1024 * long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))[6..^2], CultureInfo.InvariantCulture);
}
