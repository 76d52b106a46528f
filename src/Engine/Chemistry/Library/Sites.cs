namespace ChemScale.Engine.Chemistry.Library;

/// <summary>Kinds of ring atom that can carry a group, by what chemistry allows on them.</summary>
[Flags]
internal enum Sites
{
    None = 0,

    /// <summary>Aromatic carbon.</summary>
    Aryl = 1,

    /// <summary>Saturated carbon with no heteroatom beside it.</summary>
    Alkyl = 2,

    /// <summary>Saturated carbon beside a heteroatom: a second heteroatom here would make an aminal or an acetal.</summary>
    Alpha = 4,

    /// <summary>Saturated nitrogen: takes carbon, acyl and sulfonyl, never N or O.</summary>
    Amine = 8,

    /// <summary>Aromatic or lactam nitrogen: takes carbon only.</summary>
    Azole = 16,

    Carbon = Aryl | Alkyl,
    Acylable = Aryl | Alkyl | Alpha | Amine,
    All = Acylable | Azole,
}
