using ChemScale.Engine.Atoms;
using NUnit.Framework;

namespace ChemScale.Tests.Atoms;

public sealed class AtomicMassTests
{
    [TestCase("H", 1.008), TestCase("C", 12.011), TestCase("O", 15.999), TestCase("Ar", 39.95), TestCase("Fe", 55.845)]
    [TestCase("Tc", 97), TestCase("I", 126.90447), TestCase("Lu", 174.9668), TestCase("Au", 196.966570), TestCase("Bi", 208.98040)]
    [TestCase("U", 238.02891), TestCase("Og", 294)]
    public void Elements_have_their_standard_atomic_weights(string symbol, double mass) =>
        Assert.That(AtomicMasses.Of(Elements.Number(symbol, "test")), Is.EqualTo(mass));

    /// <summary>A table shifted by one would show here: nuclei gain about 2.5 amu a proton, and rarely lose any.</summary>
    [Test]
    public void Masses_follow_the_atomic_number()
    {
        for (int z = 2; z <= Elements.Heaviest; z++)
        {
            Expect.Between(AtomicMasses.Of(z) / z, 1.97, 2.61, Elements.Symbol(z));
            Expect.Between(AtomicMasses.Of(z) - AtomicMasses.Of(z - 1), -4.1, 13.1, Elements.Symbol(z));
        }
        Assert.That(() => AtomicMasses.Of(0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => AtomicMasses.Of(119), Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
