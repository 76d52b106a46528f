namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>What to do with a SMILES of several fragments: a salt, a solvate, a mixture.</summary>
public enum FragmentRule
{
    /// <summary>Keep the one with most heavy atoms.</summary>
    Largest,

    /// <summary>Keep all; their dots become tokens.</summary>
    All,

    /// <summary>Refuse the line.</summary>
    Refuse,
}
