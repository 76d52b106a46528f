namespace ChemScale.Engine.Chemistry.Library;

/// <summary>
/// Small groups, most frequent first. None holds a ring of more than four atoms, and no isolated ring of three or four carbons is in
/// <see cref="RingTable"/>: a group is never mistaken for an arm.
/// </summary>
internal static class SubstituentTable
{
    /// <summary>Groups that stand on a ring by themselves.</summary>
    public static readonly (string Smiles, Sites On)[] Groups =
    [
        ("C", Sites.All), // methyl
        ("F", Sites.Aryl), // fluoro
        ("Cl", Sites.Aryl), // chloro
        ("CC", Sites.All), // ethyl
        ("C#N", Sites.Carbon), // cyano
        ("C(F)(F)F", Sites.Carbon), // trifluoromethyl
        ("O", Sites.Carbon), // hydroxy
        ("Br", Sites.Aryl), // bromo
        ("C(C)C", Sites.All), // isopropyl
        ("C(N)=O", Sites.Acylable), // carbamoyl
        ("N", Sites.Carbon), // amino
        ("C1CC1", Sites.All), // cyclopropyl
        ("CO", Sites.Carbon | Sites.Alpha), // hydroxymethyl
        ("CCC", Sites.All), // propyl
        ("OC(F)F", Sites.Aryl), // difluoromethoxy
        ("C(C)(C)C", Sites.Carbon | Sites.Azole), // tert-butyl
        ("S(N)(=O)=O", Sites.Carbon | Sites.Amine), // sulfamoyl
        ("CCO", Sites.All), // 2-hydroxyethyl
        ("OC(F)(F)F", Sites.Aryl), // trifluoromethoxy
        ("[N+](=O)[O-]", Sites.Aryl), // nitro
        ("C(=O)O", Sites.Carbon | Sites.Alpha), // carboxy
        ("CC(C)C", Sites.All), // isobutyl
        ("CC#N", Sites.All), // cyanomethyl
        ("C(F)F", Sites.Aryl | Sites.Azole), // difluoromethyl
        ("CC(N)=O", Sites.All), // carbamoylmethyl
        ("CC1CC1", Sites.Amine | Sites.Azole), // cyclopropylmethyl
        ("CN", Sites.Carbon | Sites.Alpha), // aminomethyl
        ("CC(F)(F)F", Sites.Amine | Sites.Azole), // 2,2,2-trifluoroethyl
        ("NC(N)=O", Sites.Carbon), // ureido
        ("CC=C", Sites.All), // allyl
        ("C(C)CC", Sites.All), // sec-butyl
        ("C(C)O", Sites.Carbon), // 1-hydroxyethyl
        ("CC#C", Sites.Amine | Sites.Azole), // propargyl
        ("CCCC", Sites.All), // butyl
        ("C#C", Sites.Aryl), // ethynyl
        ("CC(=O)O", Sites.All), // carboxymethyl
        ("CCN", Sites.All), // 2-aminoethyl
        ("CCC#N", Sites.Amine | Sites.Azole), // 2-cyanoethyl
        ("NS(N)(=O)=O", Sites.Aryl), // sulfamoylamino
        ("C1CCC1", Sites.Amine | Sites.Azole), // cyclobutyl
        ("CCF", Sites.Amine | Sites.Azole), // 2-fluoroethyl
        ("C(C)(C)O", Sites.Aryl), // 2-hydroxypropan-2-yl
    ];

    /// <summary>Alkyl ends of a chain of <see cref="LinkerTable"/>.</summary>
    public static readonly string[] Ends =
    [
        "C", // methyl
        "CC", // ethyl
        "C(C)C", // isopropyl
        "CCC", // propyl
        "C1CC1", // cyclopropyl
        "CCOC", // 2-methoxyethyl
        "CC(C)C", // isobutyl
        "C(C)(C)C", // tert-butyl
        "CC1CC1", // cyclopropylmethyl
        "CC=C", // allyl
        "CCCC", // butyl
        "CC(F)(F)F", // 2,2,2-trifluoroethyl
        "C(C)CC", // sec-butyl
        "CCN(C)C", // 2-(dimethylamino)ethyl
        "CCO", // 2-hydroxyethyl
        "C1CCC1", // cyclobutyl
        "CC#C", // propargyl
        "CC#N", // cyanomethyl
        "CCCOC", // 3-methoxypropyl
        "CCC(C)C", // isopentyl
        "CC(C)(C)C", // neopentyl
        "CCF", // 2-fluoroethyl
        "C(C)C#N", // 1-cyanoethyl
        "CCSC", // 2-(methylsulfanyl)ethyl
    ];
}
