using System.IO.Compression;
using System.Text.Json.Nodes;
using ChemScale.Engine.Chemistry.Library;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Perf.Measuring;

namespace ChemScale.Perf.Benchmarks;

/// <summary>Molecules per second, one thread, SMILES to SELFIES and back, over lines held in memory.</summary>
internal sealed class SelfiesBenchmark : Benchmark
{
    public override string Name => "selfies";

    public override string Summary => "SMILES to SELFIES and back, one thread";

    public override bool IsAgainstRates => false;

    public override void Run(BenchmarkRun run)
    {
        RunSettings s = run.Settings;
        string[] smiles = s.Smiles is { } file ? Read(file) : Molecules(s, s.Sizes(1_000, 100_000, 100_000));
        foreach (string grammar in s.Grammars)
        {
            SelfiesCodec codec = SelfiesCodec.Create(SelfiesGrammars.Parse(grammar));
            string[] selfies = Encoded(codec, smiles);
            run.Note($"{smiles.Length} molecules, {smiles.Length - selfies.Length} refused, grammar {codec.Grammar.Name()}");
            var parameters = new JsonObject { ["grammar"] = grammar, ["molecules"] = smiles.Length };
            long allocated = 0;
            Pass encode = new("encode"), decode = new("decode", Items: selfies.Length);
            run.Compare(new Case(parameters, null, smiles.Length, "molecules"), [encode, decode], [SidePlan.Host(1 << 28)], scope => plan => clock =>
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                clock.Time(encode.Name, () =>
                {
                    foreach (string line in smiles) codec.TryEncode(line, out _);
                });
                clock.Time(decode.Name, () =>
                {
                    foreach (string line in selfies) codec.TryDecode(line, out _);
                });
                allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            }, onHost: true);
            run.Note($"{allocated:N0} bytes allocated in the last repeat");
        }
    }

    /// <summary>So many: of the file that was given, from its start again as often as it takes, or of the virtual library.</summary>
    public static string[] Molecules(RunSettings s, int count)
    {
        if (s.Smiles is { } file)
        {
            string[] read = Read(file);
            return [.. Enumerable.Range(0, count).Select(i => read[i % read.Length])];
        }
        var library = new VirtualLibrary();
        return [.. Enumerable.Range(0, count).Select(i => library[i])];
    }

    /// <summary>Without those that the grammar refuses.</summary>
    public static string[] Encoded(SelfiesCodec codec, string[] smiles)
    {
        var selfies = new List<string>(smiles.Length);
        foreach (string line in smiles)
        {
            if (codec.TryEncode(line, out ReadOnlySpan<char> text)) selfies.Add(text.ToString());
        }
        return [.. selfies];
    }

    private static string[] Read(string path)
    {
        using Stream file = File.OpenRead(path);
        using Stream data = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var reader = new StreamReader(data);
        var lines = new List<string>();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0) lines.Add(line);
        }
        return [.. lines];
    }
}
