using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Training.Checkpoints;
using NUnit.Framework;
using SharpFuzz;

namespace ChemScale.Tests.Fuzz;

/// <summary>
/// The parsers of bytes, guided by what a damaged file reaches: one that comes where none came before is damaged further. Branches are counted by
/// SharpFuzz, in a copy of this folder whose libraries it has changed; this process starts the tests of the copy.
/// </summary>
[Category("Slow")]
public class CoverageFuzzTests
{
    /// <summary>Seconds a format; set in the copy's process alone.</summary>
    private const string Variable = "CHEMSCALE_COVERAGE";

    private static readonly string[] Formats = ["npz", "h5", "db", "safetensors"];

    // What they are made of, and what reads HDF5.
    private static readonly string[] Namespaces = ["ChemScale.Engine.Atoms.Formats", "ChemScale.Engine.Training.Checkpoints", "ChemScale.Engine.Stores", "PureHDF"];

    [Test]
    public void Files_guided_by_the_branches_they_reach_are_read_or_refused()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not null) Assert.Ignore("of the process that starts the copy");
        using TemporaryFolder copy = new();
        CopyFolder(AppContext.BaseDirectory, copy.Path);
        foreach (string library in (string[])["ChemScale.Engine.dll", "PureHDF.dll"])
            Fuzzer.Instrument(copy[library], type => Namespaces.Any(name => type.StartsWith(name, StringComparison.Ordinal)), SharpFuzz.Options.Value);
        ProcessStartInfo start = new(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet") { RedirectStandardOutput = true };
        foreach (string argument in (string[])["test", copy["ChemScale.Tests.dll"], "--filter", $"FullyQualifiedName~{nameof(Guided)}", "--logger", "console;verbosity=detailed"])
            start.ArgumentList.Add(argument);
        start.Environment[Variable] = Environment.GetEnvironmentVariable("CHEMSCALE_COVERAGE_SECONDS") ?? "60";
        using Process tests = Process.Start(start)!;
        string output = tests.StandardOutput.ReadToEnd();
        tests.WaitForExit();
        TestContext.Out.WriteLine(output);
        Assert.That(tests.ExitCode, Is.Zero);
        foreach (string format in Formats) Assert.That(output, Does.Contain($"{format}: "));
    }

    [TestCaseSource(nameof(Formats))]
    public void Guided(string format)
    {
        if (!double.TryParse(Environment.GetEnvironmentVariable(Variable), CultureInfo.InvariantCulture, out double seconds)) Assert.Ignore("of the copy's process");
        // First: what is instrumented counts from its first branch on, and the files to damage are written by it.
        using BranchMap map = new();
        using TemporaryFolder folder = new();
        using FuzzedFormats formats = new(folder.Path);
        (Mutator mutator, Action<string> read) = formats.Of(format);
        string path = folder["case." + format];
        byte[] known = new byte[BranchMap.Size];
        long began = Stopwatch.GetTimestamp();
        int cases = 0, kept = 0, refused = 0;
        while (Stopwatch.GetElapsedTime(began).TotalSeconds < seconds)
        {
            byte[] content = mutator.Case(cases++);
            File.WriteAllBytes(path, content);
            map.Clear();
            long allocated = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
            try
            {
                read(path);
            }
            catch (Exception e) when (e is InputException or SafetensorsException)
            {
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"{format} {cases}: {Convert.ToBase64String(content)}: {e}");
            }
            Expect.Below(GC.GetAllocatedBytesForCurrentThread() - allocated, 500_000_000, Convert.ToBase64String(content));
            if (Stopwatch.GetElapsedTime(start).TotalSeconds > 10) Assert.Fail($"{format}: {Stopwatch.GetElapsedTime(start)}: {Convert.ToBase64String(content)}");
            if (!map.AddTo(known)) continue;
            kept++;
            mutator.Keep(content);
        }
        TestContext.Out.WriteLine($"{format}: {cases} cases, {refused} refused, {kept} kept, {known.Count(hits => hits != 0)} branches in {seconds} s");
        Expect.Above(kept, 1, "nothing guides where no branch is counted");
    }

    private static void CopyFolder(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    /// <summary>Where the changed libraries count their branches.</summary>
    private sealed unsafe class BranchMap : IDisposable
    {
        public const int Size = 1 << 16;

        private readonly byte* counts = (byte*)System.Runtime.InteropServices.NativeMemory.AllocZeroed(Size);

        public BranchMap() => SharpFuzz.Common.Trace.SharedMem = counts;

        public void Clear()
        {
            new Span<byte>(counts, Size).Clear();
            SharpFuzz.Common.Trace.PrevLocation = 0;
        }

        /// <returns>True where a branch was taken that never was, or in another order of magnitude.</returns>
        public bool AddTo(byte[] known)
        {
            bool added = false;
            for (int i = 0; i < Size; i++)
            {
                if (counts[i] == 0) continue;
                byte bit = (byte)(1 << Math.Min(7, System.Numerics.BitOperations.Log2(counts[i])));
                if ((known[i] & bit) != 0) continue;
                known[i] |= bit;
                added = true;
            }
            return added;
        }

        // Threads that still count do so there.
        public void Dispose() => SharpFuzz.Common.Trace.SharedMem = (byte*)System.Runtime.InteropServices.NativeMemory.AllocZeroed(Size);
    }
}
