using ChemScale.Perf.Benchmarks;
using CommandLine;

namespace ChemScale.Perf.Commands;

[Verb("list", HelpText = "Name the benchmarks, a line each.")]
internal sealed class ListVerb : Verb
{
    public override int Run(string[] arguments)
    {
        foreach (Benchmark benchmark in Benchmark.All) Console.WriteLine($"{benchmark.Name,-11} {benchmark.Summary}");
        return 0;
    }
}
