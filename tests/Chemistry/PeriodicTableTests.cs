using ChemScale.Engine.Chemistry;
using NUnit.Framework;

namespace ChemScale.Tests.Chemistry;

public class PeriodicTableTests
{
    [Test]
    public void Symbols_and_numbers_are_inverse()
    {
        for (int n = 1; n < PeriodicTable.Count; n++) Assert.That(PeriodicTable.Number(PeriodicTable.Symbol(n)), Is.EqualTo(n));
    }

    [TestCase("C", 6)]
    [TestCase("Cl", 17)]
    [TestCase("Og", 118)]
    [TestCase("Hg", 80)]
    [TestCase("Xx", -1)]
    [TestCase("c", -1)]
    [TestCase("*", -1)]
    [TestCase("", -1)]
    [TestCase("Uuo", -1)]
    public void Finds_the_number_of_a_symbol(string symbol, int number) => Assert.That(PeriodicTable.Number(symbol), Is.EqualTo(number));
}
