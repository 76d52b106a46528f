namespace ChemScale.Engine.Chemistry.Selfies;

/// <summary>
/// The SELFIES grammars (Krenn et al. 2020, doi 10.1088/2632-2153/aba947) this engine speaks, named after the versions of the Python
/// package <c>selfies</c> whose output they reproduce character for character.
/// </summary>
public enum SelfiesGrammar
{
    /// <summary>selfies 1.0.4, what ChemGPT was trained on: <c>[Branch1_1]</c>, <c>[Expl=Ring1]</c>, <c>[C@@Hexpl]</c>.</summary>
    V1,

    /// <summary>selfies 2.1: <c>[Branch1]</c>, <c>[=Ring1]</c>, <c>[C@@H1]</c>.</summary>
    V2,
}

public static class SelfiesGrammars
{
    /// <summary>Reads <c>1.0.4</c> or <c>2.1</c> (also <c>1</c>, <c>v1</c>, <c>2</c>, <c>v2</c>).</summary>
    /// <exception cref="InputException">Anything else.</exception>
    public static SelfiesGrammar Parse(string name) => name.Trim().ToLowerInvariant() switch
    {
        "1.0.4" or "1.0" or "1" or "v1" => SelfiesGrammar.V1,
        "2.1" or "2.1.1" or "2" or "v2" => SelfiesGrammar.V2,
        _ => throw new InputException("grammar", $"'{name}'", "1.0.4 or 2.1"),
    };

    public static string Name(this SelfiesGrammar grammar) => grammar == SelfiesGrammar.V1 ? "1.0.4" : "2.1";
}
