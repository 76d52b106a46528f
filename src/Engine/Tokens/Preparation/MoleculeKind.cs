namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>What the lines of the input hold.</summary>
public enum MoleculeKind
{
    Smiles,
    Selfies,
}
