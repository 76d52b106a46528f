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

    // CHEMSCALE_FUZZ: fewer, or more.
    private static readonly int Long = int.TryParse(Environment.GetEnvironmentVariable("CHEMSCALE_FUZZ"), out int cases) ? cases : 1_000_000;

    // Bytes allocated for a file of a few kilobytes.
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
    public void A_damaged_file_is_read_or_refused(string format) => Run(format, 0, Short);

    [TestCaseSource(typeof(FuzzedFormats), nameof(FuzzedFormats.All)), Category("Slow")]
    public void A_million_damaged_files_are_read_or_refused(string format) => Run(format, 0, Long);

    private void Run(string format, int first, int end)
    {
        (Mutator mutator, Action<string> read) = formats.Of(format);
        string path = folder["case." + format];
        int refused = 0;
        long most = 0, began = Stopwatch.GetTimestamp();
        TimeSpan longest = TimeSpan.Zero;
        for (int number = first; number < end; number++)
        {
            byte[] content = mutator.Case(number);
            File.WriteAllBytes(path, content);
            if (format == "h5") ResidentMemory.Forget();
            long resident = format == "h5" ? ResidentMemory.Most() : 0;
            long allocated = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
            try
            {
                read(path);
            }
            catch (Exception e) when (e is InputException or SafetensorsException or IpiProtocolException)
            {
                refused++;
                if (e is InputException && (e.Message.Length > OneLine.MostCharacters || e.Message.Any(char.IsControl))) Assert.Fail($"{format} {number}: message '{e.Message}'");
            }
            catch (Exception e)
            {
                Assert.Fail($"{format} {number}: {e}");
            }
            TimeSpan taken = Stopwatch.GetElapsedTime(start);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            // The library for HDF5 makes an array as long as a field says and reads then: memory that nobody touches, and the system never gives.
            if (format == "h5") allocated = Math.Min(allocated, ResidentMemory.Most() - resident);
            Expect.Below(allocated, MostAllocated, $"{format} {number}");
            // Time is asserted where nothing else is measured beside it.
            if (end == Long && taken > MostTime) Assert.Fail($"{format} {number}: {taken}");
            (most, longest) = (Math.Max(most, allocated), taken > longest ? taken : longest);
        }
        TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{format}: {end - first} cases, {refused} refused, the others read; at most {most / 1e6:F0} MB and {longest.TotalSeconds:F2} s each; {Stopwatch.GetElapsedTime(began).TotalSeconds:F0} s"));
        // Changes after which nothing is ever read would try little.
        Expect.Below(refused, end - first);
    }
}

/// <summary>What the system really gave this process, at most since it was last asked to forget.</summary>
internal static class ResidentMemory
{
    /// <summary>Bytes; other systems than Linux do not say: none.</summary>
    public static long Most() => !OperatingSystem.IsLinux() ? 0
        : 1024 * long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))[6..^2], CultureInfo.InvariantCulture);

    public static void Forget()
    {
        try
        {
            if (OperatingSystem.IsLinux()) File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (UnauthorizedAccessException)
        {
            // Then it is the most of the whole process, which says less and nothing wrong.
            return;
        }
    }
}
