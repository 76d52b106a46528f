namespace ChemScale.Engine;

/// <summary>The optional folder of reference data: variable CHEMSCALE_DATA, else ../shared/data beside the working directory.</summary>
internal static class DataFolder
{
    public const string Variable = "CHEMSCALE_DATA";

    /// <summary>Null where there is none.</summary>
    /// <param name="workplace">Stands for the working directory.</param>
    public static string? Find(string workplace = "")
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder) return Directory.Exists(folder) ? Path.GetFullPath(folder) : null;
        string beside = Path.GetFullPath(Path.Combine(workplace, "..", "shared", "data"));
        return Directory.Exists(beside) ? beside : null;
    }
}
