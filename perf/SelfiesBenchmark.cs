using System.Diagnostics;
using System.IO.Compression;
using ChemScale.Engine.Chemistry.Selfies;

namespace ChemScale.Perf;

/// <summary>Molecules per second, one thread, SMILES to SELFIES and back, over a file held in memory.</summary>
public static class SelfiesBenchmark
{
    private const int Rounds = 5;

    /// <param name="args">Grammar (1.0.4 or 2.1), then a file with one SMILES a line, .gz or not.</param>
    public static void Run(string[] args)
    {
        if (args.Length != 2)
        {
            Console.Error.WriteLine("usage: selfies GRAMMAR FILE");
            return;
        }
        SelfiesCodec codec = SelfiesCodec.Create(SelfiesGrammars.Parse(args[0]));
        string[] smiles = Read(args[1]);
        string[] selfies = Encoded(codec, smiles);
        Console.WriteLine($"{smiles.Length} molecules, {smiles.Length - selfies.Length} refused, grammar {codec.Grammar.Name()}");
        Measure("encode", smiles, (codec, text) => codec.TryEncode(text, out _), codec);
        Measure("decode", selfies, (codec, text) => codec.TryDecode(text, out _), codec);
    }

    private static void Measure(string name, string[] lines, Func<SelfiesCodec, string, bool> translate, SelfiesCodec codec)
    {
        double best = double.MaxValue;
        long allocated = 0;
        for (int round = 0; round <= Rounds; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            foreach (string line in lines) translate(codec, line);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (round > 0) best = Math.Min(best, seconds);
        }
        Console.WriteLine($"{name}: {lines.Length / best:N0} molecules/s, {allocated} bytes allocated in the last round");
    }

    private static string[] Encoded(SelfiesCodec codec, string[] smiles)
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
