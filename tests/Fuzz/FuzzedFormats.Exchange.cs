using ChemScale.Engine;
using ChemScale.Engine.Exchange;
using ChemScale.Engine.Studies.Molecules;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Tests.Exchange;
using NUnit.Framework;

namespace ChemScale.Tests.Fuzz;

/// <summary>What other tools leave for this one: their weights, their configurations, vectors.</summary>
internal sealed partial class FuzzedFormats
{
    private const string GptNeoConfig = """
        {"model_type": "gpt_neo", "attention_types": [[["global", "local"], 1]], "hidden_size": 4, "num_heads": 2, "num_layers": 2, "max_position_embeddings": 8, "vocab_size": 9,
         "window_size": 4, "activation_function": "gelu_new", "eos_token_id": 50256, "intermediate_size": null, "layer_norm_epsilon": 1e-5}
        """;

    private const string SchNetPackConfig = """
        {"format": "schnetpack", "representation": "SchNet", "n_atom_basis": 4, "n_interactions": 1, "n_rbf": 4, "radial_basis": "GaussianRBF", "cutoff_fn": "CosineCutoff",
         "cutoff": 5.0, "energy_unit": "eV", "distance_unit": "Ang", "max_z": 100}
        """;

    private static void ReadTorch(string path)
    {
        using TorchArchive archive = TorchArchive.Open(path);
        foreach (string name in archive.Tensors.Keys) archive.Read(name)?.Dispose();
    }

    /// <summary>A folder whose configuration is damaged: its weights are of another shape, so it ends there at the latest.</summary>
    private void ReadFolder(string path)
    {
        string source = Path.Combine(folder, "exchanged");
        if (!Directory.Exists(source))
        {
            Directory.CreateDirectory(source);
            File.WriteAllBytes(Path.Combine(source, "pytorch_model.bin"), TorchFile.Of([("a", [1], [1f])]));
        }
        File.Copy(path, Path.Combine(source, "config.json"), overwrite: true);
        try
        {
            ModelExchange.Import(new ImportRequest { Folder = source, Output = Path.Combine(folder, "imported") }, _ => { });
        }
        catch (InputException e) when (e.Message.Contains("no tensor", StringComparison.Ordinal))
        {
            return;
        }
    }

    private static byte[] EmbeddingsNpy() =>
        [0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. Text("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }".PadRight(117) + "\n"), .. new byte[24]];

    private static void ReadEmbeddings(string path)
    {
        var facts = new EmbeddingFacts { Model = "a", Run = "b", Pool = EmbeddingPool.Last, Layer = 1, Width = 2, Molecules = 3, KeepStereo = false, Fragments = FragmentRule.Largest };
        using var vectors = new EmbeddingVectors(path, facts);
        if (vectors.Rows(0, 3).Length != 6) Assert.Fail("other numbers than it has");
    }
}
