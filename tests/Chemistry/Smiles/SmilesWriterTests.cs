using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Smiles;
using NUnit.Framework;

namespace ChemScale.Tests.Chemistry.Smiles;

public class SmilesWriterTests
{
    [TestCase("CC(C)(C#N)c1ccc2[nH]ccc2c1")]
    [TestCase("C[C@@H](N)C(=O)O")]
    [TestCase("[C@](F)(Cl)(Br)I")]
    [TestCase("O[C@H]1CC[C@@]2(C)C1CCC2")]
    [TestCase("C[S@](=O)c1ccccc1")]
    [TestCase("F/C=C\\C=C/Cl")]
    [TestCase("C(/F)=C/F")]
    [TestCase("C1CC/C=C/CCC1")]
    [TestCase("[13CH4].[NH4+].[O-2].[Fe+3].[2H]O[2H]")]
    [TestCase("[CH3:1][OH:2]")]
    [TestCase("[CH2]C.[C].[CH]")]
    [TestCase("c1ccc(-c2ccccc2)cc1")]
    [TestCase("O=c1[nH]cnc2[nH]cnc12")]
    [TestCase("C1.C12.C2")]
    [TestCase("*C[*+]")]
    [TestCase("[se]1cccc1")]
    [TestCase("C$C")]
    public void What_is_in_normal_form_comes_back_unchanged(string smiles) => Assert.That(Written(smiles), Is.EqualTo(smiles));

    [TestCase("C(F)1(Cl)CO1", "C1(F)(Cl)CO1")]
    [TestCase("[C@](F)1(Cl)CO1", "[C@@]1(F)(Cl)CO1")]
    [TestCase("O[C@](F)1CO1", "O[C@@]1(F)CO1")]
    [TestCase("C-C%11CCC%11", "CC1CCC1")]
    [TestCase("C(C)(C)", "C(C)C")]
    [TestCase("[CH4]", "C")]
    [TestCase("[cH]1ccccc1", "c1ccccc1")]
    [TestCase("[Cl][CH2][N+1]", "ClC[N+]")]
    [TestCase("C(C.N)O", "C(C)O.N")]
    [TestCase("F/C=C/1.Cl1", "F/C=C/1.Cl1")]
    [TestCase("F/C=C1.Cl\\1", "F/C=C/1.Cl1")]
    public void Other_spellings_take_the_normal_form(string smiles, string normal) => Assert.That(Written(smiles), Is.EqualTo(normal));

    [TestCase("c1ccccc1O", "C1=CC=CC=C1O")]
    [TestCase("c1cc[nH]c1", "C1=CNC=C1")]
    [TestCase("Cn1cccc1", "CN1C=CC=C1")]
    public void A_Kekule_structure_is_written_on_request(string smiles, string kekule)
    {
        string written = new SmilesWriter { Aromatic = false }.Write(SmilesReader.Parse(smiles)).ToString();
        Assert.That(written.Length, Is.EqualTo(kekule.Length));
        Assert.That(written, Does.Not.Match("[cnos]"));
        Assert.That(written.Count(c => c == '='), Is.EqualTo(kekule.Count(c => c == '=')));
    }

    [Test]
    public void A_molecule_made_by_hand_gets_its_ring_labels()
    {
        var molecule = new Molecule();
        for (int i = 0; i < 6; i++) molecule.AddAtom(new Atom { Element = 6, Hydrogens = 2 });
        for (int i = 0; i < 6; i++) molecule.AddBond(new Bond { Begin = (i + 1) % 6, End = i, Order = BondOrder.Single });
        Assert.That(new SmilesWriter().Write(molecule).ToString(), Is.EqualTo("C1CCCCC1"));
    }

    [Test]
    public void Labels_beyond_nine_and_ninety_nine_are_spelled_out()
    {
        // All rings are open at once.
        string open = string.Concat(Enumerable.Range(1, 120).Select(i => $"C%({i})"));
        string close = string.Concat(Enumerable.Range(1, 120).Select(i => $"C%({i})"));
        string written = Written(open + close);
        Assert.That(written, Does.StartWith("C1C2C3").And.Contain("C9C%10C%11").And.Contain("C%99C%(100)"));
        Assert.That(Written(written), Is.EqualTo(written));
    }

    [Test]
    public void Length_and_depth_are_bounded_by_memory_alone()
    {
        const int Atoms = 100_000;
        string nested = string.Concat(Enumerable.Repeat("C(", Atoms)) + "C" + string.Concat(Enumerable.Repeat(")C", Atoms));
        Assert.That(Written(nested), Is.EqualTo(nested));
        string cycle = "c1" + new string('c', 4 * Atoms + 4) + "c1";
        Assert.That(Written(cycle), Is.EqualTo(cycle));
    }

    private static string Written(string smiles) => new SmilesWriter().Write(SmilesReader.Parse(smiles)).ToString();
}
