using System.Text.Json.Nodes;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Exchange;
using ChemScale.Engine.Models;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Tests.Generation;
using ChemScale.Tests.Models;
using ChemScale.Tests.Simulation;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Exchange;

public sealed class HuggingFaceTests
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void Make() => folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => folder.Dispose();

    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "gptneo_*.npz"])]
    public void The_reference_comes_in_as_it_was_published_and_goes_out_with_its_names_and_numbers(string file)
    {
        using DisposeScope scope = NewDisposeScope();
        var fixture = new GptNeoFixture(file);
        (string Name, long[] Shape, float[] Values)[] weights = [.. fixture.File.Names.Where(n => n.StartsWith("w.", StringComparison.Ordinal))
            .Select(n => (n[2..], fixture.File.Shape(n), fixture.File.Doubles(n).Select(v => (float)v).ToArray()))];
        long[] table = weights.Single(w => w.Name == "transformer.wte.weight").Shape;
        float[] tied = weights.Single(w => w.Name == "transformer.wte.weight").Values;
        // As ChemGPT's folders are: masks among the weights, the tied head, ends of text outside of the vocabulary, no padding.
        Published("published", fixture, TorchFile.Of([.. weights, ("transformer.h.0.attn.attention.bias", [1, 1, 2, 2], new float[4]),
            ("transformer.h.0.attn.attention.masked_bias", [], [1e9f]),
            ("lm_head.weight", table, tied)]));
        ExchangeReport taken = ModelExchange.Import(new ImportRequest { Folder = folder["published"], Output = folder["run"] }, Fail);
        Assert.That(taken.Notes, Has.One.Contains("50256"));
        Same(folder["run"], fixture);

        ModelExchange.Export(folder["run"], ExchangeFormat.HuggingFace, folder["exported"], Fail);
        Assert.That(Directory.GetFiles(folder["exported"]).Select(Path.GetFileName),
            Is.EquivalentTo((string[])["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "generation_config.json", "README.md"]));
        using (SafetensorsFile written = SafetensorsFile.Open(Path.Combine(folder["exported"], "model.safetensors")))
        {
            Assert.That(written.Metadata["format"], Is.EqualTo("pt"));
            Assert.That(written.Entries.Keys, Is.EquivalentTo(weights.Select(w => w.Name)));
            foreach ((string name, long[] shape, float[] values) in weights)
            {
                Tensor tensor = written.Read(name);
                Assert.That(tensor.shape, Is.EqualTo(shape), name);
                Assert.That(tensor.data<float>(), Is.EqualTo(values), name);
            }
        }
        JsonNode config = Json("exported", "config.json");
        Assert.That(((string)config["model_type"]!, (int)config["vocab_size"]!, (int)config["window_size"]!, (string)config["activation_function"]!),
            Is.EqualTo(("gpt_neo", fixture.File.Int("h.vocab_size"), fixture.File.Int("h.window_size"), "gelu_new")));
        Assert.That(config["attention_layers"]!.AsArray().Select(l => (string)l! == "local" ? 1 : 0), Is.EqualTo(fixture.File.Ints("h.attention_layers")));
        Assert.That(((int)config["bos_token_id"]!, (int)config["eos_token_id"]!), Is.EqualTo((2, 3)));
        Assert.That((string)Json("exported", "tokenizer_config.json")["eos_token"]!, Is.EqualTo("[SEP]"));

        ModelExchange.Import(new ImportRequest { Folder = folder["exported"], Output = folder["again"] }, Fail);
        Same(folder["again"], fixture);
    }

    [Test]
    public void A_model_of_mup_goes_out_as_a_standard_one_that_computes_the_same()
    {
        using DisposeScope scope = NewDisposeScope();
        string run = Run("mup", new ChemGptConfig
        {
            Layers = 2,
            Width = 32,
            Heads = 4,
            Positions = 30,
            VocabularySize = 9,
            InitStd = 0.3,
            Parametrization = Parametrization.Mup,
            BaseWidth = 16,
        });
        Assert.That(ModelExchange.Export(run, ExchangeFormat.HuggingFace, folder["out"], Fail).Notes, Has.One.Contains("muP"));
        ModelExchange.Import(new ImportRequest { Folder = folder["out"], Output = folder["in"] }, Fail);
        using TrainedLanguageModel before = TrainedLanguageModel.Open(run, Fail), after = TrainedLanguageModel.Open(folder["in"], Fail);
        (Tensor ids, Tensor positions, var rows, _) = GptNeoFixture.Pack([[2, 5, 6, 7, 3], [2, 8, 3]]);
        Expect.Close(after.Model.Logits(ids, positions, rows), before.Model.Logits(ids, positions, rows), ofLargest: 1e-6);
    }

    [Test]
    public void A_folder_that_is_there_is_not_written_over()
    {
        string run = Run("run", new ChemGptConfig { Layers = 1, Width = 16, Heads = 4, Positions = 30, VocabularySize = 9 });
        Directory.CreateDirectory(folder["there"]);
        Assert.That(() => ModelExchange.Export(run, ExchangeFormat.HuggingFace, folder["there"], Fail), Refused.With("there already"));
        Assert.That(() => ModelExchange.Export(run, ExchangeFormat.SchNetPack, folder["out"], Fail), Refused.With("chemgpt"));
        Assert.That(Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName), Is.EquivalentTo((string[])["run", "run-source", "there"]));
        Assert.That(() => ModelExchange.Import(new ImportRequest { Folder = folder["run-source"], Output = run }, Fail), Refused.With("unfinished run"));
    }

    [TestCase("model_type", "\"gpt2\"", "gpt_neo")]
    [TestCase("activation_function", "\"relu\"", "gelu_new")]
    [TestCase("vocab_size", "8", "8")]
    [TestCase("hidden_size", "20", "(")]
    [TestCase("num_heads", "3", "divisor")]
    [TestCase("num_layers", "2", "attention_types")]
    [TestCase("attention_types", "[[[\"sparse\"],1]]", "sparse")]
    [TestCase("tie_word_embeddings", "false", "tied")]
    [TestCase("max_position_embeddings", "-1", "max_position_embeddings")]
    public void Another_architecture_is_refused_by_the_key_that_says_so(string key, string value, string named)
    {
        Run("run", new ChemGptConfig { Layers = 1, Width = 16, Heads = 4, Positions = 30, VocabularySize = 9 });
        string source = folder["run-source"], path = Path.Combine(source, "config.json");
        JsonNode config = JsonNode.Parse(File.ReadAllText(path))!;
        config[key] = JsonNode.Parse(value);
        File.WriteAllText(path, config.ToJsonString());
        Assert.That(() => ModelExchange.Import(new ImportRequest { Folder = source, Output = folder["other"] }, Fail), Refused.With(named));
        Assert.That(Directory.Exists(folder["other"]), Is.False);
    }

    [Test]
    public void Damaged_and_missing_files_are_refused()
    {
        Run("run", new ChemGptConfig { Layers = 1, Width = 16, Heads = 4, Positions = 30, VocabularySize = 9 });
        string source = folder["run-source"], weights = Path.Combine(source, "pytorch_model.bin");
        byte[] sound = File.ReadAllBytes(weights);
        foreach (byte[] bytes in (byte[][])[sound[..^100], sound[..2000], [], [.. Enumerable.Repeat((byte)7, 3000)]])
        {
            File.WriteAllBytes(weights, bytes);
            Assert.That(() => ModelExchange.Import(new ImportRequest { Folder = source, Output = folder["other"] }, Fail), Refused.With("pytorch_model.bin"));
        }
        File.Delete(weights);
        Assert.That(() => ModelExchange.Import(new ImportRequest { Folder = source, Output = folder["other"] }, Fail), Refused.With("pytorch_model.bin"));
        File.Delete(Path.Combine(source, "config.json"));
        Assert.That(() => ModelExchange.Import(new ImportRequest { Folder = source, Output = folder["other"] }, Fail), Refused.With("config.json"));
        Assert.That(() => ModelExchange.Import(new ImportRequest { Folder = folder["none"], Output = folder["other"] }, Fail), Refused.With("no such folder"));
        Assert.That(Directory.Exists(folder["other"]), Is.False);
    }

    [Test]
    public void Transformers_loads_the_folder_and_computes_the_same()
    {
        using DisposeScope scope = NewDisposeScope();
        string run = Run("run", new ChemGptConfig { Layers = 3, Width = 32, Heads = 4, Positions = 30, VocabularySize = 9, InitStd = 0.3, Window = 3 });
        ModelExchange.Export(run, ExchangeFormat.HuggingFace, folder["out"], Fail);
        var outcome = Python.Run("transformers, torch", "import sys, torch\nfrom transformers import GPTNeoForCausalLM, PreTrainedTokenizerFast\n"
            + "m = GPTNeoForCausalLM.from_pretrained(sys.argv[1]).eval(); t = PreTrainedTokenizerFast.from_pretrained(sys.argv[1])\n"
            + "ids = t('[C][O][N]', return_tensors='pt').input_ids\nprint(*ids[0].tolist())\nprint(*m(ids).logits.flatten().tolist())", folder["out"]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        string[] lines = outcome.Output.Trim().Split('\n');
        using TrainedLanguageModel ours = TrainedLanguageModel.Open(run, Fail);
        ushort[] ids = ours.Tokenizer.Encode("[C][O][N]");
        Assert.That(lines[0], Is.EqualTo(string.Join(' ', ids)));
        (Tensor input, Tensor positions, var rows, _) = GptNeoFixture.Pack([[.. ids.Select(id => (int)id)]]);
        double[] theirs = [.. lines[1].Split(' ').Select(n => double.Parse(n, System.Globalization.CultureInfo.InvariantCulture))];
        Expect.Close(ours.Model.Logits(input, positions, rows).data<float>().Select(v => (double)v), theirs, absolute: 1e-5);
    }

    /// <summary>A run of such a model, by way of a folder NAME-source.</summary>
    private string Run(string name, ChemGptConfig config)
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new ChemGpt(config, 3);
        string source = Directory.CreateDirectory(folder[name + "-source"]).FullName;
        bool mup = config.Parametrization == Parametrization.Mup;
        var json = new JsonObject
        {
            ["model_type"] = "gpt_neo",
            ["num_layers"] = config.Layers,
            ["hidden_size"] = config.Width,
            ["num_heads"] = config.Heads,
            ["window_size"] = config.Window,
            ["vocab_size"] = config.VocabularySize,
            ["max_position_embeddings"] = config.Positions,
            ["attention_types"] = new JsonArray([.. Enumerable.Range(0, config.Layers).Select(l => (JsonNode)new JsonArray(new JsonArray(config.IsLocal(l) ? "local" : "global"), 1))]),
        };
        File.WriteAllText(Path.Combine(source, "config.json"), json.ToJsonString());
        SymbolRuleTests.Of(SelfiesGrammar.V1, ["[O]", "[N]", "[Branch1_1]"]).Save(Path.Combine(source, "tokenizer.json"));
        File.WriteAllBytes(Path.Combine(source, "pytorch_model.bin"), TorchFile.Of(ChemGptWeights.Named(model).Select(t => (t.Name, t.View.shape, t.View.contiguous().data<float>().ToArray()))));
        string run = folder[name];
        if (!mup)
        {
            ModelExchange.Import(new ImportRequest { Folder = source, Output = run }, Fail);
            return run;
        }
        // No folder of theirs has it.
        var experiment = new ChemScale.Engine.Training.Experiments.Experiment { Model = ChemScale.Engine.Training.Experiments.ModelSpec.Of(config) };
        ImportedRun.Write(new ImportRequest { Folder = source, Output = run }, Path.Combine(source, "pytorch_model.bin"), model, experiment,
            new Dictionary<string, byte[]> { ["tokenizer.json"] = File.ReadAllBytes(Path.Combine(source, "tokenizer.json")) }, Fail, default);
        return run;
    }

    private void Published(string name, GptNeoFixture fixture, byte[] weights)
    {
        string at = Directory.CreateDirectory(folder[name]).FullName;
        int layers = fixture.File.Int("h.num_layers");
        Assert.That(fixture.File.Ints("h.attention_layers"), Is.EqualTo(Enumerable.Range(0, layers).Select(l => l % 2)));
        File.WriteAllText(Path.Combine(at, "config.json"), new JsonObject
        {
            ["architectures"] = new JsonArray("GPTNeoForCausalLM"),
            ["model_type"] = "gpt_neo",
            ["bos_token_id"] = 50256,
            ["eos_token_id"] = 50256,
            ["pad_token_id"] = null,
            ["attention_types"] = new JsonArray(new JsonArray(new JsonArray("global", "local"), layers / 2)),
            ["activation_function"] = "gelu_new",
            ["hidden_size"] = fixture.File.Int("h.hidden_size"),
            ["intermediate_size"] = null,
            ["num_heads"] = fixture.File.Int("h.num_heads"),
            ["num_layers"] = layers,
            ["max_position_embeddings"] = fixture.File.Int("h.max_position_embeddings"),
            ["vocab_size"] = fixture.File.Int("h.vocab_size"),
            ["window_size"] = fixture.File.Int("h.window_size"),
            ["layer_norm_epsilon"] = 1e-5,
            ["initializer_range"] = 0.02,
            ["gradient_checkpointing"] = false,
        }.ToJsonString());
        SymbolRuleTests.Of(SelfiesGrammar.V1, ["[O]", "[N]", "[Branch1_1]"]).Save(Path.Combine(at, "tokenizer.json"));
        File.WriteAllBytes(Path.Combine(at, "pytorch_model.bin"), weights);
    }

    private static void Same(string run, GptNeoFixture fixture)
    {
        using TrainedLanguageModel trained = TrainedLanguageModel.Open(run, Fail);
        (Tensor ids, Tensor positions, var rows, _) = fixture.Packed();
        Expect.Close(trained.Model.Logits(ids, positions, rows).to(ScalarType.Float64), fixture.RealLogits(), absolute: 1e-5);
    }

    private JsonNode Json(string name, string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder[name], file)))!;

    private static void Fail(string warning) => Assert.Fail(warning);
}
