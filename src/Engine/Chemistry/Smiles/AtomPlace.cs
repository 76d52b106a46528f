namespace ChemScale.Engine.Chemistry.Smiles;

/// <summary>Where an atom stands in its SMILES.</summary>
internal struct AtomPlace
{
    public int Start;
    public int End;

    /// <summary>-1 where nothing says chirality.</summary>
    public int ChiralityStart;
    public int ChiralityEnd;
}
