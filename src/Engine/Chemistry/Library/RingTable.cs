namespace ChemScale.Engine.Chemistry.Library;

/// <summary>Where a ring system may stand. Ends and hearts are disjoint, so a molecule of two ring systems has one reading only.</summary>
internal enum RingRole
{
    /// <summary>The end of an arm; a heart only where two arms make it the middle one of three.</summary>
    End,

    /// <summary>The heart of a molecule; the end of an arm only beside another heart with two arms.</summary>
    Heart,
}

/// <summary>
/// The ring systems, most frequent first (the order is the popularity). Every carbon and nitrogen that carries hydrogen is a place for
/// a group; see <see cref="RingSkeleton"/>.
/// </summary>
internal static class RingTable
{
    public static readonly (string Smiles, RingRole Role)[] Rings =
    [
        ("c1ccccc1", RingRole.End), // benzene
        ("c1ccncc1", RingRole.End), // pyridine
        ("c1cn[nH]c1", RingRole.Heart), // pyrazole
        ("C1CCNCC1", RingRole.Heart), // piperidine
        ("c1cscn1", RingRole.Heart), // thiazole
        ("C1CNCCN1", RingRole.Heart), // piperazine
        ("c1ccsc1", RingRole.End), // thiophene
        ("c1cncnc1", RingRole.Heart), // pyrimidine
        ("c1ccoc1", RingRole.End), // furan
        ("C1COCCN1", RingRole.End), // morpholine
        ("c1cnoc1", RingRole.Heart), // isoxazole
        ("c1ccc2[nH]ccc2c1", RingRole.Heart), // indole
        ("C1CCNC1", RingRole.End), // pyrrolidine
        ("c1c[nH]cn1", RingRole.Heart), // imidazole
        ("c1ccc2[nH]cnc2c1", RingRole.Heart), // benzimidazole
        ("c1nnco1", RingRole.Heart), // 1,3,4-oxadiazole
        ("c1ncno1", RingRole.Heart), // 1,2,4-oxadiazole
        ("C1CCCCC1", RingRole.End), // cyclohexane
        ("c1ccc2ncccc2c1", RingRole.Heart), // quinoline
        ("c1cocn1", RingRole.Heart), // oxazole
        ("C1CCCC1", RingRole.End), // cyclopentane
        ("c1nn[nH]c1", RingRole.Heart), // 1H-1,2,3-triazole
        ("c1nc[nH]n1", RingRole.Heart), // 1H-1,2,4-triazole
        ("c1ccc2c(c1)OCO2", RingRole.End), // 1,3-benzodioxole
        ("c1ccc2scnc2c1", RingRole.Heart), // benzothiazole
        ("c1cnccn1", RingRole.Heart), // pyrazine
        ("c1ccc2[nH]ncc2c1", RingRole.Heart), // indazole
        ("C1CCOC1", RingRole.End), // tetrahydrofuran
        ("C1CCOCC1", RingRole.End), // tetrahydropyran
        ("c1ccnnc1", RingRole.Heart), // pyridazine
        ("c1ccc2occc2c1", RingRole.Heart), // benzofuran
        ("c1ccc2sccc2c1", RingRole.Heart), // benzothiophene
        ("c1nncs1", RingRole.Heart), // 1,3,4-thiadiazole
        ("c1ccc2ncncc2c1", RingRole.Heart), // quinazoline
        ("c1ccc2nccn2c1", RingRole.Heart), // imidazo[1,2-a]pyridine
        ("c1cc[nH]c(=O)c1", RingRole.Heart), // 2-pyridone
        ("c1ccc2c(c1)CCN2", RingRole.Heart), // indoline
        ("c1ccc2c(c1)CCNC2", RingRole.Heart), // 1,2,3,4-tetrahydroisoquinoline
        ("c1cc[nH]c1", RingRole.Heart), // pyrrole
        ("c1ccc2ccccc2c1", RingRole.End), // naphthalene
        ("c1ccc2ocnc2c1", RingRole.Heart), // benzoxazole
        ("c1ccc2cnccc2c1", RingRole.Heart), // isoquinoline
        ("C1CNC1", RingRole.Heart), // azetidine
        ("c1cnsc1", RingRole.Heart), // isothiazole
        ("c1ccc2c(c1)OCCO2", RingRole.End), // 1,4-benzodioxane
        ("c1ccc2nccnc2c1", RingRole.Heart), // quinoxaline
        ("O=C1CCCN1", RingRole.Heart), // 2-pyrrolidone
        ("c1ncc2cc[nH]c2n1", RingRole.Heart), // pyrrolo[2,3-d]pyrimidine
        ("c1cc2ncccn2n1", RingRole.Heart), // pyrazolo[1,5-a]pyrimidine
        ("C1CSCCN1", RingRole.End), // thiomorpholine
        ("c1nc2ccsc2cn1", RingRole.Heart), // thieno[3,2-d]pyrimidine
        ("O=c1cccn[nH]1", RingRole.Heart), // pyridazinone
        ("c1ccc2c(c1)CCCN2", RingRole.Heart), // 1,2,3,4-tetrahydroquinoline
        ("O=C1CNCCN1", RingRole.Heart), // piperazin-2-one
        ("c1cnc2[nH]ccc2c1", RingRole.Heart), // 7-azaindole
        ("C1CCCNCC1", RingRole.End), // azepane
        ("O=c1[nH]cnc2ccccc12", RingRole.Heart), // quinazolin-4-one
        ("c1ccc2nnccc2c1", RingRole.Heart), // cinnoline
        ("O=C1CCCCN1", RingRole.Heart), // 2-piperidone
        ("c1ccc2c(c1)OCC2", RingRole.Heart), // 2,3-dihydrobenzofuran
        ("O=C1OCCN1", RingRole.Heart), // 2-oxazolidinone
        ("c1nc2ncccn2n1", RingRole.Heart), // [1,2,4]triazolo[1,5-a]pyrimidine
        ("c1ccc2c(c1)CCCC2", RingRole.Heart), // tetralin
        ("c1nonc1", RingRole.Heart), // furazan, 1,2,5-oxadiazole
    ];
}
