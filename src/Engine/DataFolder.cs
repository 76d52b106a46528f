namespace ChemScale.Engine;

/// <summary>The optional folder of reference data: variable CHEMSCALE_DATA, else ../shared/data beside the working directory.</summary>
public static class DataFolder
{
    public const string Variable = "CHEMSCALE_DATA";

    /// <summary>Null where there is none.</summary>
    public static string? Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder) return Directory.Exists(folder) ? Path.GetFullPath(folder) : null;
        string beside = Path.GetFullPath(Path.Combine("..", "shared", "data"));
        return Directory.Exists(beside) ? beside : null;
    }
}
