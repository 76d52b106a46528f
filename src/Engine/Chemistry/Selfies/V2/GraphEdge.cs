namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>A bond seen from one end. A chain bond exists at the earlier atom only, a ring bond at both.</summary>
internal struct GraphEdge
{
    public int Target; // -1 while its ring is open
    public int Next;
    public int Partner; // the same ring bond at the other end; -1 for chain bonds
    public byte HalfOrder;
    public char Stereo; // '/', '\' or '\0'
}
