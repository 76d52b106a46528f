using ChemScale.Engine.Chemistry.Selfies;
using NUnit.Framework;

namespace ChemScale.Tests.Chemistry.Selfies;

public class SelfiesSymbolsTests
{
    [TestCase("", "", "")]
    [TestCase("[C][=C][F].[C]", "[C]|[=C]|[F]|.|[C]", "")]
    [TestCase("[Branch1_1][C@@Hexpl]", "[Branch1_1]|[C@@Hexpl]", "")]
    [TestCase("[C]..", "[C]|.|.", "")]
    [TestCase("[C][O", "[C]", "[O")]
    [TestCase("[C]O[N]", "[C]", "O[N]")]
    public void Symbols_are_slices_and_a_malformed_tail_remains(string selfies, string expected, string tail)
    {
        List<string> symbols = [];
        SelfiesSymbols.Enumerator walk = SelfiesSymbols.Enumerate(selfies);
        while (walk.MoveNext()) symbols.Add(walk.Current.ToString());
        Assert.That(string.Join('|', symbols), Is.EqualTo(expected));
        Assert.That(walk.Remainder.ToString(), Is.EqualTo(tail));
    }

    [Test]
    public void Foreach_walks_without_allocating()
    {
        string selfies = string.Concat(Enumerable.Repeat("[C][=O].", 100));
        int count = Count(selfies);
        long before = GC.GetAllocatedBytesForCurrentThread();
        count += Count(selfies);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(count, Is.EqualTo(600));
    }

    private static int Count(string selfies)
    {
        int count = 0;
        foreach (ReadOnlySpan<char> symbol in SelfiesSymbols.Enumerate(selfies)) count += symbol.Length > 0 ? 1 : 0;
        return count;
    }
}
