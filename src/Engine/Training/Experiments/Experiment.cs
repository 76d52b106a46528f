using System.Security.Cryptography;
using System.Text;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>
/// What is trained, on what, how, from which seed: everything that a result depends on, and nothing else. Read from YAML or built in
/// code, written back with every default spelled out. The same experiment runs on any device.
/// </summary>
public sealed record Experiment
{
    public required ModelSpec Model { get; init; }

    public DataSpec Data { get; init; } = new();

    public TrainingSpec Training { get; init; } = new();

    /// <summary>Seeds the initial weights, the order of the data, and what a task draws from its run's scope.</summary>
    public long Seed { get; init; } = 42;

    /// <summary>
    /// First 16 hexadecimal digits of the SHA-256 of the canonical form. Key order, defaults spelled out or left out, and where the run
    /// is written or executed do not change it.
    /// </summary>
    public string Id => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(CanonicalForm.Of(Resolved()))))[..16];

    /// <exception cref="InputException">The file is missing, is not YAML, or says something an experiment cannot mean.</exception>
    public static Experiment Read(string path) => Parse(new StreamReader(new MemoryStream(ReadBytes(path))).ReadToEnd(), path);

    /// <summary>A file that the program wrote for itself, whose seal must be right.</summary>
    /// <exception cref="InputException">As <see cref="Read"/>; or the file is damaged.</exception>
    internal static Experiment ReadSealed(string path) => Parse(Seal.OpenYaml(ReadBytes(path), path), path);

    /// <param name="yaml">The text of an experiment file.</param>
    /// <param name="place">Name of the file in error messages.</param>
    /// <exception cref="InputException">Names file and line, key, what was found and what was expected.</exception>
    public static Experiment Parse(string yaml, string place) => ExperimentYaml.Read(yaml, place);

    /// <summary>The whole experiment as YAML, defaults included; <see cref="Parse"/> gives an equal record back.</summary>
    public string ToYaml() => ExperimentYaml.Write(Resolved());

    /// <summary>Checks what YAML reading checks, for an experiment built in code, and fills in what follows from other fields.</summary>
    /// <exception cref="InputException">A value is out of range or contradicts another.</exception>
    public Experiment Validated(string place = "experiment")
    {
        Experiment resolved = Resolved();
        Bounds.CheckAll(resolved.Data, place, "data");
        Bounds.CheckAll(resolved.Training, place, "training");
        Bounds.CheckAll(resolved.Model.Config, place, "model");
        resolved.Model.Family.Check(resolved.Model.Config, place);
        resolved.Model.Family.Check(resolved.Training, resolved.Model.Config, place);
        resolved.Training.Check(place);
        return resolved;
    }

    /// <summary>Keys of different values, both named; empty where the identity is the same.</summary>
    public string DifferencesFrom(Experiment other) => CanonicalForm.Differences(Resolved(), other.Resolved());

    private static byte[] ReadBytes(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, e.Message, "a readable experiment file (YAML)");
        }
    }

    private Experiment Resolved() => this with { Data = Data.Resolved() };
}
