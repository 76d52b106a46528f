using ChemScale.Engine.Chemistry.Smiles;
using NUnit.Framework;

namespace ChemScale.Tests.Chemistry.Smiles;

public class SmilesFilterTests
{
    [TestCase("CCO", "CCO")]
    [TestCase("C[C@@H](N)O", "CC(N)O")]
    [TestCase("C[C@](N)(O)F", "CC(N)(O)F")]
    [TestCase("[C@H](F)(Cl)Br", "C(F)(Cl)Br")]
    [TestCase("C[C@H]", "C[CH]")]
    [TestCase("C[S@](=O)N", "CS(=O)N")]
    [TestCase("C[P@](F)N", "CP(F)N")]
    [TestCase("C[N@@+](F)(Cl)Br", "C[N+](F)(Cl)Br")]
    [TestCase("F[13C@@H](Cl)Br", "F[13CH](Cl)Br")]
    [TestCase("F[C@@H:1](Cl)Br", "F[CH:1](Cl)Br")]
    [TestCase("F[Si@@H](Cl)Br", "F[SiH](Cl)Br")]
    [TestCase("F[C@TH2H](Cl)Br", "FC(Cl)Br")]
    [TestCase("F/C=C/C(\\Br)=C\\Cl", "FC=CC(Br)=CCl")]
    [TestCase("C1CC/C=C/CCC1", "C1CCC=CCCC1")]
    [TestCase("F/C=C/1.Cl1", "FC=C1.Cl1")]
    [TestCase("c1ccccc1/c1ccccc1", "c1ccccc1-c1ccccc1")]
    [TestCase("[Na+].CC(=O)[O-]", "CC(=O)[O-]")]
    [TestCase("CC.OO", "CC")]
    [TestCase("C.OO.CC", "OO")]
    [TestCase("[2H][2H].[H][H].C", "C")]
    [TestCase("CC1.C1C.CCC", "CC1.C1C")]
    [TestCase("O.C[C@H](F)Cl.O", "CC(F)Cl")]
    [TestCase("not SMILES", "not SMILES")]
    public void Stereo_and_salts_go_and_the_rest_stays(string smiles, string cleaned) =>
        Assert.That(Clean(new SmilesFilter(), smiles), Is.EqualTo(cleaned));

    [Test]
    public void Either_step_can_be_left_out()
    {
        const string Smiles = "Cl.C[C@H](F)O";
        Assert.That(Clean(new SmilesFilter(stripStereo: false), Smiles), Is.EqualTo("C[C@H](F)O"));
        Assert.That(Clean(new SmilesFilter(largestFragment: false), Smiles), Is.EqualTo("Cl.CC(F)O"));
        Assert.That(Clean(new SmilesFilter(false, false), Smiles), Is.EqualTo(Smiles));
    }

    [TestCase("F/C=C(", "unclosed branch", 5)]
    [TestCase("CC.C1C", "unclosed ring 1", 4)]
    [TestCase("C(C.N)O", "dot inside a branch", 3)]
    public void What_it_cannot_read_it_refuses(string smiles, string reason, int position)
    {
        var filter = new SmilesFilter();
        Assert.That(filter.TryClean(smiles, out _), Is.False);
        Assert.That((filter.Reason, filter.Position), Is.EqualTo((reason, position)));
        Assert.That(Clean(filter, "[C@H](F)(Cl)Br"), Is.EqualTo("C(F)(Cl)Br"));
        Assert.That(filter.Reason, Is.Empty);
    }

    private static string Clean(SmilesFilter filter, string smiles)
    {
        Assert.That(filter.TryClean(smiles, out ReadOnlySpan<char> cleaned), Is.True, filter.Reason);
        return cleaned.ToString();
    }
}
