namespace ChemScale.Engine.Chemistry;

public enum BondOrder : byte
{
    Single = 1,
    Double = 2,
    Triple = 3,
    Quadruple = 4,
}

/// <summary>Which way a single bond beside a double bond points, from <see cref="Bond.Begin"/> to <see cref="Bond.End"/>.</summary>
public enum BondDirection : byte
{
    None,

    /// <summary>/ in SMILES.</summary>
    Up,

    /// <summary>\ in SMILES.</summary>
    Down,
}

/// <summary>One bond of a <see cref="Molecule"/>.</summary>
public struct Bond
{
    public int Begin;
    public int End;

    /// <summary>In one Kekule structure where the bond is aromatic.</summary>
    public BondOrder Order;

    public BondDirection Direction;
    public bool Aromatic;

    /// <summary>Written as a pair of ring labels; the bonds that are not make up a forest.</summary>
    public bool RingClosure;

    public readonly int Other(int atom) => atom == Begin ? End : Begin;
}
