using ChemScale.Engine;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Smiles;
using NUnit.Framework;

namespace ChemScale.Tests.Chemistry.Smiles;

public class SmilesReaderTests
{
    private readonly SmilesReader reader = new();
    private readonly Molecule molecule = new();

    [TestCase("", 0, "no atoms")]
    [TestCase(".C", 0, "empty fragment")]
    [TestCase("C.", 1, "empty fragment")]
    [TestCase("C..C", 2, "empty fragment")]
    [TestCase("C1CC", 1, "unclosed ring 1")]
    [TestCase("C%12CC1CC1", 1, "unclosed ring 12")]
    [TestCase("C(C", 1, "unclosed branch")]
    [TestCase("CC)", 2, "branch closed but not opened")]
    [TestCase("C()C", 2, "empty branch")]
    [TestCase("(C)C", 0, "branch without atom before it")]
    [TestCase("C[Xx]", 2, "unknown element")]
    [TestCase("CQ", 1, "unknown element")]
    [TestCase("[xe]", 1, "unknown element")]
    [TestCase("[C", 0, "unclosed bracket")]
    [TestCase("[CH4?]", 4, "unexpected character in brackets")]
    [TestCase("[C:]", 3, "atom map without number")]
    [TestCase("[99999C]", 6, "isotope too large")]
    [TestCase("[C+100]", 6, "charge too large")]
    [TestCase("[Co@OH3]", 4, "unsupported chirality class")]
    [TestCase("C=", 1, "bond without atom")]
    [TestCase("=C", 0, "bond without atom")]
    [TestCase("C.=C", 2, "bond without atom")]
    [TestCase("C=(C)", 1, "bond without atom")]
    [TestCase("C==C", 2, "unexpected character")]
    [TestCase("C C", 1, "unexpected character")]
    [TestCase("1CC1", 0, "ring label without atom before it")]
    [TestCase("C%1", 1, "ring label without number")]
    [TestCase("C%(1", 1, "ring label without number")]
    [TestCase("C11", 2, "ring of one atom")]
    [TestCase("C1C1", 3, "ring bond between bonded atoms")]
    [TestCase("C=1CCC#1", 7, "ring bonds differ")]
    [TestCase("F/C=C/1CCC/1", 11, "ring bonds differ")]
    [TestCase("C:C", 1, "aromatic bond between atoms that are not")]
    [TestCase("Cc", 1, "aromatic atom outside a ring")]
    [TestCase("Cc1cccc1", 5, "no Kekule structure")]
    public void Errors_say_where_and_why(string smiles, int position, string reason)
    {
        Assert.That(reader.TryRead(smiles, molecule), Is.False);
        Assert.That((reader.Position, reader.Reason), Is.EqualTo((position, reason)));
    }

    [Test]
    public void Parse_throws_with_the_place()
    {
        Assert.That(
            () => SmilesReader.Parse("CC1CC"),
            Throws.TypeOf<InputException>().With.Message.EqualTo("SMILES, character 3: unclosed ring 1"));
    }

    [TestCase("CCO", "3 2 1")]
    [TestCase("C=CC#N", "2 1 0 0")]
    [TestCase("[CH2]C", "2 3")]
    [TestCase("CS(=O)(=O)C", "3 0 0 0 3")]
    [TestCase("CP(C)C", "3 0 3 3")]
    [TestCase("BrCl", "0 0")]
    [TestCase("B", "3")]
    [TestCase("[NH4+].[OH-]", "4 1")]
    [TestCase("c1ccncc1", "1 1 1 0 1 1")]
    [TestCase("c1cc[nH]c1", "1 1 1 1 1")]
    [TestCase("Cn1cccc1C", "3 0 1 1 1 0 3")]
    [TestCase("O=c1cc[nH]cc1", "0 0 1 1 1 1 1")]
    [TestCase("c1ccccc1c1ccccc1", "1 1 1 1 1 0 0 1 1 1 1 1")]
    [TestCase("*C", "0 3")]
    public void Hydrogens_are_implied(string smiles, string hydrogens)
    {
        Read(smiles);
        Assert.That(string.Join(' ', molecule.Atoms.ToArray().Select(a => a.Hydrogens)), Is.EqualTo(hydrogens));
    }

    [Test]
    public void A_bracket_atom_says_everything()
    {
        Read("F[13C@@H-2:42](Cl)Br");
        Atom atom = molecule.Atoms[1];
        Assert.That((atom.Element, atom.Isotope, atom.Hydrogens, atom.Charge, atom.Map), Is.EqualTo((6, 13, 1, -2, 42)));
        Assert.That(atom.Chirality, Is.Not.EqualTo(Chirality.None));
    }

    [TestCase("[Fe+++]", 3)]
    [TestCase("[Fe+3]", 3)]
    [TestCase("[O--]", -2)]
    [TestCase("[O-]", -1)]
    public void Charges_are_signs_or_numbers(string smiles, int charge)
    {
        Read(smiles);
        Assert.That(molecule.Atoms[0].Charge, Is.EqualTo(charge));
    }

    [TestCase("C1CC1")]
    [TestCase("C0CC0")]
    [TestCase("C%12CC%12")]
    [TestCase("C%12CC%(12)")]
    [TestCase("C%01CC1")]
    [TestCase("C%(987)CC%(987)")]
    [TestCase("C1C.C12.C2")]
    public void Ring_labels_join_atoms(string smiles)
    {
        Read(smiles);
        Assert.That(molecule.Bonds.ToArray().Count(b => b.RingClosure), Is.EqualTo(smiles.Contains('.') ? 2 : 1));
    }

    [TestCase("C=1CCC1", 2)]
    [TestCase("C1CCC=1", 2)]
    [TestCase("C#1CCC#1", 3)]
    [TestCase("C1CCC1", 1)]
    public void A_ring_bond_symbol_may_stand_at_either_end(string smiles, int order)
    {
        Read(smiles);
        Assert.That((int)molecule.Bonds.ToArray().Single(b => b.RingClosure).Order, Is.EqualTo(order));
    }

    [Test]
    public void All_bond_symbols_are_read()
    {
        Read("C-C=C#C$C");
        Assert.That(molecule.Bonds.ToArray().Select(b => (int)b.Order), Is.EqualTo((int[])[1, 2, 3, 4]));
        Read("C/C=C\\C");
        Assert.That(molecule.Bonds[0].Direction, Is.EqualTo(BondDirection.Up));
        Assert.That(molecule.Bonds[2].Direction, Is.EqualTo(BondDirection.Down));
    }

    // Five and seven rings, bridges, and atoms a greedy choice leaves over.
    [TestCase("c1ccccc1")]
    [TestCase("c1ccc2cccc2cc1")]
    [TestCase("c1cc2ccc3cccc4ccc(c1)c2c34")]
    [TestCase("c1cc2ccc3ccc4ccc5ccc6ccc1c1c2c3c4c5c61")]
    [TestCase("c1ccc2c(c1)ccc1c2ccc2c3ccccc3ccc21")]
    [TestCase("c1cc2cccc3c4cccc5cccc(c(c1)c23)c54")]
    [TestCase("c12c3c4c5c1c1c6c7c2c2c8c3c3c9c4c4c%10c5c5c1c1c6c6c%11c7c2c2c7c8c3c3c8c9c4c4c9c%10c5c5c1c1c6c6c%11" +
        "c2c2c7c3c3c8c4c4c9c5c1c1c6c2c3c41")]
    [TestCase("c1ccc(-c2ccccc2)cc1")]
    [TestCase("c:1:c:c:c:c:c1")]
    public void Every_aromatic_carbon_gets_one_double_bond(string smiles)
    {
        Read(smiles);
        for (int a = 0; a < molecule.AtomCount; a++)
        {
            int doubles = 0;
            foreach (Molecule.Neighbor n in molecule.Neighbors(a)) doubles += molecule.Bonds[n.Bond].Order == BondOrder.Double ? 1 : 0;
            Assert.That(doubles, Is.EqualTo(1), $"atom {a}");
        }
    }

    [Test]
    public void Neighbors_stand_in_the_order_of_the_text()
    {
        Read("N[C@]1(F)CCCC1(Br)I");
        var order = new List<int>();
        foreach (Molecule.Neighbor n in molecule.Neighbors(1)) order.Add(n.Atom);
        Assert.That(order, Is.EqualTo((int[])[0, 6, 2, 3]));
    }

    [Test]
    public void A_reader_forgets_a_failure()
    {
        foreach (string broken in (string[])["C1CC(", "C%(999)C", "c1cccc1"]) Assert.That(reader.TryRead(broken, molecule), Is.False);
        Read("C1CC1");
        Assert.That(molecule.AtomCount, Is.EqualTo(3));
    }

    private void Read(string smiles) => Assert.That(reader.TryRead(smiles, molecule), Is.True, reader.Reason);
}
