namespace ChemScale.Engine.Studies.Report;

/// <summary>Names of the resources a power law is fitted over, as fits carry them.</summary>
internal static class Resource
{
    public const string Parameters = "parameters";
    public const string Items = "items";
    public const string Compute = "compute";
}
