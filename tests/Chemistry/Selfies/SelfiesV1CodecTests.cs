using System.Text;
using ChemScale.Engine.Chemistry.Selfies;
using NUnit.Framework;

namespace ChemScale.Tests.Chemistry.Selfies;

public class SelfiesV1CodecTests
{
    private const string Refused = "!ERROR";
    private const string C18 = "[C][C][C][C][C][C][C][C][C][C][C][C][C][C][C][C][C][C]";

    private readonly SelfiesCodec codec = SelfiesCodec.Create(SelfiesGrammar.V1);

    [TestCase("", "")]
    [TestCase("C=CF", "[C][=C][F]")]
    [TestCase("C-C", "[C][C]")]
    [TestCase("ClC[Br]", "[Cl][C][Brexpl]")]
    [TestCase("CC(C)(C)C#N", "[C][C][Branch1_1][C][C][Branch1_1][C][C][C][#N]")]
    [TestCase("OC(=O)C(#N)C", "[O][C][Branch1_2][C][=O][C][Branch1_3][C][#N][C]")]
    [TestCase("C=(C)O", "[C][Branch1_1][C][C][O]")]
    [TestCase("C(CCCCCCCCCCCCCCCCCC)O", "[C][Branch2_1][Ring1][Ring1]" + C18 + "[O]")]
    [TestCase("C[C@@H](N)O", "[C][C@@Hexpl][Branch1_1][C][N][O]")]
    [TestCase("F/C=C\\F", "[F][/C][=C][\\F]")]
    [TestCase("[13CH4].[Na+].[OH-]", "[13CH4expl].[Na+expl].[OH-expl]")]
    [TestCase("C1CC1", "[C][C][C][Ring1][Ring1]")]
    [TestCase("C=1CCCC1", "[C][C][C][C][C][Expl=Ring1][Branch1_1]")]
    [TestCase("C=1CCCC#1", "[C][C][C][C][C][Expl=Ring1][Branch1_1]")]
    [TestCase("C1CCCC\\1", "[C][C][C][C][C][Expl\\Ring1][Branch1_1]")]
    [TestCase("C-1CCCC=1", "[C][C][C][C][C][Expl=Ring1][Branch1_1]")]
    [TestCase("C%10CC%10", "[C][C][C][Ring1][Ring1]")]
    [TestCase("C1CC%01", "[C][C][C][Ring1][Ring1]")]
    [TestCase("C(Cl)1(Br)CC1", "[C][Branch1_1][C][Cl][Branch1_1][C][Br][C][C][Ring1][Branch1_1]")]
    [TestCase("C1" + "CCCCCCCCCCCCCCCCCC" + "1", "[C]" + C18 + "[Ring2][Ring1][Ring1]")]
    [TestCase("C..C", "[C]..[C]")]
    [TestCase("C(C", "[C][Branch1_1][C][C]")]
    [TestCase("C)C", "[C]")]
    [TestCase("C)$", "[C]")]
    [TestCase("[]", "[expl]")]
    public void Encodes(string smiles, string selfies) => Assert.That(Encode(smiles), Is.EqualTo(selfies));

    [TestCase("c1ccccc1", "[C][=C][C][=C][C][=C][Ring1][Branch1_2]")]
    [TestCase("c1cc[nH]c1", "[C][C][=C][NHexpl][C][Expl=Ring1][Branch1_1]")]
    [TestCase("c1ccc[n+](C)c1", "[C][=C][C][=C][N+expl][Branch1_1][C][C][=C][Ring1][Branch1_3]")]
    [TestCase("c:1:c:c:c:c:c1", "[C][=C][C][=C][C][=C][Ring1][Branch1_2]")]
    [TestCase("c1ccccc1-c1ccccc1", "[C][=C][C][=C][C][=C][Ring1][Branch1_2][C][=C][C][=C][C][=C][Ring1][Branch1_2]")]
    [TestCase("c1cc(c)ccc1", null)]
    [TestCase("n", "[n]")]
    [TestCase("b1ccccc1", "[B][=C][C][=C][C][=C][Ring1][Branch1_2]")]
    [TestCase("b1[te]bbb1", "[b][teexpl][b][b][b][Ring1][Branch1_1]")]
    [TestCase("c1cc[se]c1", "[C][C][=C][Seexpl][C][Expl=Ring1][Branch1_1]")]
    [TestCase("[cH]1[cH][cH][cH][cH][cH]1", "[CHexpl][=CHexpl][CHexpl][=CHexpl][CHexpl][=CHexpl][Ring1][Branch1_2]")]
    public void Encodes_aromatic_atoms_in_one_Kekule_structure(string smiles, string? selfies) =>
        Assert.That(Encode(smiles), Is.EqualTo(selfies ?? Refused));

    [TestCase("*C")]
    [TestCase("C$C")]
    [TestCase("C C")]
    [TestCase("C=")]
    [TestCase("C==C")]
    [TestCase("[C")]
    [TestCase("[C.C]")]
    [TestCase("[C@TH1](F)C")]
    [TestCase("C1CC")]
    [TestCase("C1.C1")]
    [TestCase("C11")]
    [TestCase("C%1CC%1C%")]
    [TestCase("C%xxC")]
    [TestCase("C()C")]
    [TestCase("C(CC1)1")]
    [TestCase("c1cccc1")]
    [TestCase("cd")]
    [TestCase("C:c")]
    [TestCase("c1ccc[nH2]c1")]
    [TestCase("C[13]c")]
    public void Refuses_to_encode(string smiles)
    {
        Assert.That(Encode(smiles), Is.EqualTo(Refused));
        Assert.That(codec.Reason, Is.Not.Empty);
    }

    [TestCase("", "")]
    [TestCase("[C][=C][F]", "C=CF")]
    [TestCase("[C][nop][=O]", "C=O")]
    [TestCase("[C][=O][C]", "C=O")]
    [TestCase("[F][=C]", "FC")]
    [TestCase("[=C][#N][F]", "C#N")]
    [TestCase("[/C][/C]", "C/C")]
    [TestCase("[C][epsilon][C]", "C")]
    [TestCase("[epsilon][C]", "C")]
    [TestCase("[Branch1_1][Ring2][C]", "C")]
    [TestCase("[C][Branch1_1]", "C")]
    [TestCase("[C][Branch1_1][C][F][Cl]", "C(F)Cl")]
    [TestCase("[C][Branch1_1][C][=O][O]", "C(O)O")]
    [TestCase("[C][Branch1_2][C][=O][O]", "C(=O)O")]
    [TestCase("[O][Branch1_3][C][#C][Cl]", "O(C)Cl")]
    [TestCase("[C][Branch1_1][Branch1_1][Branch1_1][C][F][Cl][Br]", "C(CF)Br")]
    [TestCase("[C][Branch1_2][Branch1_1][Branch1_1][C][F][Cl][Br]", "C(F)(Cl)Br")]
    [TestCase("[C][Branch2_1][Ring1][C][F][Cl]", "C(F)")]
    [TestCase("[C][Ring1][C]", "C")]
    [TestCase("[C][C][Ring1][C]", "C=C")]
    [TestCase("[C][C][C][C][Ring1][O]", "C1CCC1")]
    [TestCase("[C][C][C][C][Ring2][Ring1]", "C1CCC1")]
    [TestCase("[C][C][C][C][Ring1][Ring2][Ring1][Ring2]", "C=1CCC=1")]
    [TestCase("[C][C][C][C][Expl#Ring1][Ring2][Expl=Ring1][Ring2]", "C#1CCC#1")]
    [TestCase("[C][C][C][C][Expl/Ring1][Ring2]", "C/1CCC/1")]
    [TestCase("[N][C][C][N][Expl#Ring1][Ring2]", "N=1CCN=1")]
    [TestCase("[C].[C][Ring1][C]", "C.C")]
    [TestCase("[C]..[O].", "C.O")]
    [TestCase("noise[C]", "C")]
    [TestCase("[C@@Hexpl][Branch1_1][C][F][Br]", "[C@@H](F)Br")]
    [TestCase("[Feexpl][Cl]", "[Fe]Cl")]
    [TestCase("[CH4expl][C]", "[CH4]C")]
    [TestCase("[C][F][C][", "CF")]
    [TestCase("[C+0expl][#C][C]", "[C+0]#CC")]
    [TestCase("[-C][Ring1]", "-C")]
    [TestCase("[C][-C][Ring1][C]", "C=C")]
    [TestCase("[C][Branch4_1][C][C][C][C][F][Cl]", "C(F)Cl")]
    public void Decodes(string selfies, string smiles) => Assert.That(Decode(selfies), Is.EqualTo(smiles));

    [TestCase("[C][F][")]
    [TestCase("[C")]
    [TestCase("[C] [O]")]
    [TestCase("[C.C]")]
    [TestCase("[]")]
    [TestCase("[=]")]
    [TestCase("[expl]")]
    [TestCase("[13expl]")]
    [TestCase("[C][Branch1_4][C][C]")]
    [TestCase("[Branch1_4]")]
    [TestCase("[C][Branchx_1][C][C]")]
    [TestCase("[C][Ring]")]
    [TestCase("[C][CH4expl]")]
    [TestCase("[CH5expl]")]
    [TestCase("[C][Branch1_1][O")]
    public void Refuses_to_decode(string selfies)
    {
        Assert.That(Decode(selfies), Is.EqualTo(Refused));
        Assert.That(codec.Reason, Is.Not.Empty);
    }

    [Test]
    public void Ring_numbers_above_nine_take_a_percent_sign_and_above_ninety_nine_none()
    {
        var selfies = new StringBuilder();
        for (int i = 0; i < 101; i++) selfies.Append("[C][C][C][Ring1][Ring1]");
        string smiles = Decode(selfies.ToString());
        Assert.That(smiles, Does.Contain("C9CC9C%10CC%10C%11CC%11"));
        Assert.That(smiles, Does.EndWith("C%99CC%99C100CC100C101CC101"));
    }

    [Test]
    public void Long_chains_pass_and_deep_nesting_is_refused()
    {
        const int Atoms = 100_000;
        string chain = new('C', Atoms);
        Assert.That(Decode(Encode(chain)), Is.EqualTo(chain));

        Assert.That(Decode(Encode(Nested(200))), Is.EqualTo(Nested(200)));
        Assert.That(Encode(Nested(Atoms)), Is.EqualTo(Refused));
        Assert.That(Decode(string.Concat(Enumerable.Repeat("[C][Branch4_1][P][P][P][P]", Atoms))), Is.EqualTo(Refused));
    }

    [Test]
    public void Steady_state_allocates_nothing()
    {
        const string Smiles = "CC1=C(C(=O)Nc2ccc(/C=C/[N+](=O)[O-])cc2[C@@H]2CC2)SC%10=NC=CN%101.[13CH4]";
        Assert.That(codec.TryEncode(Smiles, out ReadOnlySpan<char> encoded), codec.Reason);
        string selfies = encoded.ToString();
        codec.TryDecode(selfies, out _);
        codec.TryEncode("C1CC", out _);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            codec.TryEncode(Smiles, out _);
            codec.TryDecode(selfies, out _);
            codec.TryEncode("C1CC", out _);
        }
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void A_refusal_leaves_no_trace_in_the_next_call()
    {
        string fresh = Encode("c1ccccc1C(=O)O");
        foreach (string broken in (string[])["C1CC(", "c1cccc1", "[C", "C%11CC"]) Assert.That(Encode(broken), Is.EqualTo(Refused));
        Assert.That(Encode("c1ccccc1C(=O)O"), Is.EqualTo(fresh));
        Assert.That(codec.Reason, Is.Empty);
    }

    [Test]
    public void A_flood_of_different_symbols_is_decoded_and_forgotten()
    {
        for (int i = 0; i < 40_000; i++)
        {
            string smiles = Decode($"[{i}CH3expl][{i}Cexpl]");
            if (smiles != $"[{i}CH3][{i}C]") Assert.Fail($"isotope {i}: {smiles}");
        }
        Assert.That(Decode("[C][=C][F]"), Is.EqualTo("C=CF"));
    }

    private static string Nested(int depth) =>
        string.Concat(Enumerable.Repeat("C(", depth)) + "C" + string.Concat(Enumerable.Repeat(")C", depth));

    private string Encode(string smiles) => codec.TryEncode(smiles, out ReadOnlySpan<char> text) ? text.ToString() : Refused;

    private string Decode(string selfies) => codec.TryDecode(selfies, out ReadOnlySpan<char> text) ? text.ToString() : Refused;
}
