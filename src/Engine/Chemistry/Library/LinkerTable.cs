namespace ChemScale.Engine.Chemistry.Library;

/// <summary>
/// The chains between a ring and what follows, most frequent first. <c>From</c>: on which ring atoms it may start, by its first atom;
/// <c>To</c>: on which it may end, by its last. A chain that ends in a heteroatom, carbonyl or sulfonyl may end in an alkyl group too.
/// </summary>
internal static class LinkerTable
{
    private const Sites Hetero = Sites.Carbon;
    private const Sites Acyl = Sites.Acylable;
    private const Sites Sulfonyl = Sites.Carbon | Sites.Amine;
    private const Sites Any = Sites.All;

    /// <summary>Methylene beside a heteroatom: on nitrogen it would make an aminal.</summary>
    private const Sites Plain = Sites.Carbon | Sites.Alpha;
    private const Sites Saturated = Sites.Alkyl | Sites.Alpha | Sites.Amine;

    /// <summary>A bond: written <c>-</c> between two aromatic atoms. At most one of the four rows fits a pair of sites.</summary>
    public static readonly (string Smiles, Sites From, Sites To)[] Bonds =
    [
        ("-", Sites.Aryl, Sites.Aryl | Sites.Azole),
        ("-", Sites.Azole, Sites.Aryl),
        ("", Sites.Aryl, Saturated),
        ("", Saturated, Sites.Aryl),
    ];

    /// <summary>Whether a chain that may end on these places ends in saturated carbon: alkyl there would only make it longer.</summary>
    public static bool EndsInCarbon(Sites to) => to is Any or Plain;

    public static readonly (string Smiles, Sites From, Sites To)[] Linkers =
    [
        ("C(=O)N", Acyl, Hetero), // carboxamide, from its acid
        ("NC(=O)", Hetero, Acyl), // carboxamide, from its amine
        ("C", Any, Any), // methylene
        ("O", Hetero, Hetero), // ether
        ("C(=O)NC", Acyl, Plain), // N-methylene carboxamide
        ("N", Hetero, Hetero), // amine
        ("CC(=O)N", Any, Hetero), // acetamide
        ("S(=O)(=O)N", Sulfonyl, Hetero), // sulfonamide
        ("C(=O)", Acyl, Acyl), // carbonyl
        ("OC", Hetero, Plain), // methyleneoxy
        ("CNC(=O)", Plain, Acyl), // aminomethyl carboxamide
        ("NC(=O)N", Hetero, Hetero), // urea
        ("CO", Plain, Hetero), // oxymethylene
        ("NC", Hetero, Plain), // aminomethylene
        ("S(=O)(=O)", Sulfonyl, Sulfonyl), // sulfonyl
        ("CN", Plain, Hetero), // methyleneamino
        ("NC(=O)C", Hetero, Any), // acetamide, from its amine
        ("NS(=O)(=O)", Hetero, Sulfonyl), // sulfonamide, from its amine
        ("CC", Any, Any), // ethylene
        ("C(=O)O", Acyl, Hetero), // ester
        ("OCC(=O)N", Hetero, Hetero), // oxyacetamide
        ("C(=O)NCC", Acyl, Any), // N-ethylene carboxamide
        ("C(=O)N(C)", Acyl, Hetero), // N-methyl carboxamide
        ("CCC(=O)N", Any, Hetero), // propanamide
        ("N(C)C(=O)", Hetero, Acyl), // N-methyl carboxamide, from its amine
        ("OCC(=O)", Hetero, Acyl), // oxyacetyl
        ("CC(=O)NC", Any, Any), // N-methylene acetamide
        ("S", Sites.Aryl, Hetero), // sulfide
        ("C(=O)OC", Acyl, Plain), // methylene ester
        ("NC(=O)NC", Hetero, Plain), // methylene urea
        ("N(C)", Hetero, Hetero), // methylamine
        ("CN(C)C(=O)", Plain, Acyl), // N-methyl aminomethyl carboxamide
        ("SC", Sites.Aryl, Plain), // sulfanylmethylene
        ("CC(=O)", Any, Acyl), // acetyl
        ("CNC(=O)N", Plain, Hetero), // aminomethyl urea
        ("C(=O)N(C)C", Acyl, Plain), // N-methyl N-methylene carboxamide
        ("OC(=O)", Sites.Carbon, Sites.Carbon), // ester, from its alcohol
        ("CN(C)C", Plain, Plain), // methylaminodimethylene
        ("C(C)NC(=O)", Plain, Acyl), // 1-aminoethyl carboxamide
        ("NC(=O)CO", Hetero, Hetero), // oxyacetamide, from its amine
        ("SCC(=O)N", Sites.Aryl, Hetero), // sulfanylacetamide
        ("C(=O)NC(C)", Acyl, Plain), // N-ethylidene carboxamide
        ("CCNC(=O)", Any, Acyl), // aminoethyl carboxamide
        ("CS(=O)(=O)", Plain, Sulfonyl), // methylsulfonyl
        ("CNS(=O)(=O)", Plain, Sulfonyl), // aminomethyl sulfonamide
        ("NC(=O)CC", Hetero, Any), // propanamide, from its amine
        ("S(=O)(=O)NC", Sulfonyl, Plain), // methylene sulfonamide
        ("NCC", Hetero, Any), // aminoethylene
        ("C(C)", Any, Any), // ethylidene
        ("OCC", Hetero, Any), // ethyleneoxy
        ("NC(=O)C(C)", Hetero, Any), // propanamide, branched
        ("CCC", Any, Any), // propylene
        ("CCO", Any, Hetero), // oxyethylene
        ("COC(=O)", Plain, Sites.Carbon), // ester, from its methyl alcohol
        ("NC(=O)CS", Hetero, Sites.Aryl), // sulfanylacetamide, from its amine
        ("C(C)C(=O)N", Any, Hetero), // 2-propanamide
        ("NCC(=O)N", Hetero, Hetero), // glycinamide
        ("C(=O)CC", Acyl, Any), // propanoyl, reversed
        ("S(=O)(=O)N(C)", Sulfonyl, Hetero), // N-methyl sulfonamide
        ("NC(=O)C(=O)N", Hetero, Hetero), // oxalamide
        ("CCS(=O)(=O)", Any, Sulfonyl), // ethylsulfonyl
        ("C(=O)NCC(=O)N", Acyl, Hetero), // carbonyl glycinamide
        ("C=C", Sites.Aryl, Sites.Aryl), // vinylene
        ("C#C", Sites.Aryl, Sites.Aryl), // ethynylene
    ];
}
