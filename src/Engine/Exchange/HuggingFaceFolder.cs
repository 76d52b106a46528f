using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Models;
using ChemScale.Engine.Stores;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Engine.Training.Tasks;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Exchange;

/// <summary>
/// A language model as a folder that GPTNeoForCausalLM and PreTrainedTokenizerFast of Hugging Face's transformers load: config.json, model.safetensors,
/// tokenizer.json, tokenizer_config.json, generation_config.json and a model card.
/// </summary>
internal static class HuggingFaceFolder
{
    private const string ConfigFile = "config.json", Weights = "model.safetensors", Pickled = "pytorch_model.bin", Tokenizer = "tokenizer.json";
    private const string Tied = "lm_head.weight", Table = "transformer.wte.weight", Prefix = "transformer.";

    // Masks that older versions kept with the weights.
    private static readonly string[] Masks = [".attn.attention.bias", ".attn.attention.masked_bias"];

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static ExchangeReport Write(string run, NewFolder folder, Action<string> warn)
    {
        using TrainedLanguageModel trained = TrainedLanguageModel.Open(run, warn);
        ChemGptConfig config = trained.Model.Config;
        Vocabulary vocabulary = trained.Tokenizer.Vocabulary;
        using DisposeScope scope = NewDisposeScope();
        KeyValuePair<string, Tensor>[] tensors = [.. ChemGptWeights.Plain(trained.Model).Select(t => KeyValuePair.Create(t.Name, t.Copy))];
        folder.Write(Weights, stream => SafetensorsWriter.Write(stream, tensors, new Dictionary<string, string> { ["format"] = "pt" }));
        folder.Write(ConfigFile, Config(config, vocabulary, trained.Experiment.Training.Dtype));
        folder.Write(Tokenizer, trained.Tokenizer.ToJson());
        folder.Write("tokenizer_config.json", TokenizerConfig(config, vocabulary));
        folder.Write("generation_config.json", Text(new JsonObject
        {
            ["bos_token_id"] = vocabulary.Start,
            ["eos_token_id"] = vocabulary.End,
            ["pad_token_id"] = vocabulary.Padding ?? vocabulary.End,
            ["do_sample"] = true,
            ["max_length"] = config.Positions,
        }));
        folder.Write("README.md", Card(run, trained));
        return new ExchangeReport("", ExchangeFormat.HuggingFace, trained.Experiment.Id, tensors.Sum(t => t.Value.numel()), config.Parametrization == Parametrization.Mup
            ? ["muP's factors are part of the weights now: the folder's model is a standard GPT-Neo"] : []);
    }

    public static ExchangeReport Read(ImportRequest request, Action<string> warn, CancellationToken stop)
    {
        var notes = new List<string>();
        string place = Path.Combine(request.Folder, ConfigFile);
        ChemGptConfig config = ReadConfig(place, out long? end);
        using WeightFile file = WeightFile.Find(request.Folder, Weights, Pickled);
        string Named(string name) => file.Names.Contains(Table) ? name : name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : name;
        using Tensor table = file.Read(Named(Table)) ?? throw new InputException(file.Path, $"no tensor '{Table}'", "the tensors of a GPTNeoForCausalLM");
        if (table.dim() != 2 || table.size(0) != config.VocabularySize)
            throw new InputException(file.Path, $"'{Table}' of shape ({string.Join(", ", table.shape)})", $"{config.VocabularySize} rows, as vocab_size says");
        using (Tensor? head = file.Read(Tied))
        {
            if (head is not null && !(head.shape.SequenceEqual(table.shape) && Equal(head, table)))
                throw new InputException(file.Path, $"a {Tied} of its own", "a head that is tied to the token table");
        }
        bool wide = table.dtype == ScalarType.Float64;
        if (table.dtype is not (ScalarType.Float32 or ScalarType.Float64)) notes.Add($"weights of type {table.dtype} became float32");
        using var model = new ChemGpt(config, 0, wide ? ScalarType.Float64 : ScalarType.Float32);
        string[] known = [.. ChemGptWeights.Named(model).Select(t => Named(t.Name))];
        string? more = file.Names.FirstOrDefault(n => !known.Contains(n) && n != Tied && !Masks.Any(m => n.EndsWith(m, StringComparison.Ordinal)));
        if (more is not null) throw new InputException(file.Path, $"a tensor '{more}'", $"those of a model of {config.Layers} layers alone");
        ChemGptWeights.Load(model, name => file.Read(Named(name)), file.Path);

        Tokenizer tokenizer = ReadTokenizer(request);
        if (tokenizer.Vocabulary.Size > config.VocabularySize)
            throw new InputException(Path.Combine(request.Folder, Tokenizer), $"{tokenizer.Vocabulary.Size} tokens", $"at most {config.VocabularySize}, the model's vocab_size");
        if (end != tokenizer.Vocabulary.End)
            notes.Add($"eos_token_id is {(end is null ? "not given" : end.Value.ToString(CultureInfo.InvariantCulture))}; molecules end with {tokenizer.Vocabulary.Text(tokenizer.Vocabulary.End)}, "
                + $"{tokenizer.Vocabulary.End}, as the tokenizer's template says");
        var experiment = new Experiment
        {
            Model = ModelSpec.Of(config),
            Data = tokenizer.Representation == Representation.Smiles ? new DataSpec { Representation = Representation.Smiles } : new DataSpec { Grammar = tokenizer.Grammar },
            Training = new TrainingSpec { Dtype = wide ? Precision.Float64 : Precision.Float32 },
        };
        experiment = ImportedRun.Write(request, file.Path, model, experiment,
            new Dictionary<string, byte[]> { [LanguageModelTask.TokenizerFile] = Encoding.UTF8.GetBytes(tokenizer.ToJson()) }, warn, stop);
        return new ExchangeReport(Path.GetFullPath(request.Output), ExchangeFormat.HuggingFace, experiment.Id, model.parameters().Sum(p => p.numel()), notes);
    }

    private static bool Equal(Tensor a, Tensor b)
    {
        using Tensor same = a.eq(b), all = same.all();
        return all.item<bool>();
    }

    /// <summary>The grammar is stated where it was asked for.</summary>
    private static Tokenizer ReadTokenizer(ImportRequest request)
    {
        Tokenizer tokenizer = Tokens.Tokenizer.Load(Path.Combine(request.Folder, Tokenizer));
        return request.Grammar is null && request.Constraints is null ? tokenizer : tokenizer.With(request.Grammar, request.Constraints);
    }

    private static ChemGptConfig ReadConfig(string path, out long? end)
    {
        if (!FileErrors.Exists(path)) throw new InputException(path, "is missing", "the configuration of a GPT-Neo model, or of a force field");
        using JsonDocument document = JsonPlace.Document(File.ReadAllBytes(path), path);
        JsonPlace root = new(path, "", document.RootElement);
        root.Required("model_type", "'gpt_neo'").OneOf("gpt_neo");
        if (root.Optional("activation_function") is { IsNull: false } activation) activation.OneOf("gelu_new");
        int layers = Count(root, "num_layers"), width = Count(root, "hidden_size");
        JsonPlace inner = root.Optional("intermediate_size"), eos = root.Optional("eos_token_id"), tied = root.Optional("tie_word_embeddings");
        if (!tied.IsNull && !tied.Boolean()) throw tied.Wrong("true: a head that is tied to the token table");
        end = eos.IsNull ? null : eos.Integer();
        string pattern = Pattern(root, layers);
        var config = new ChemGptConfig
        {
            Layers = layers,
            Width = width,
            InnerWidth = inner.IsNull || inner.Integer(1, int.MaxValue) == 4L * width ? 0 : (int)inner.Integer(1, int.MaxValue),
            Heads = Count(root, "num_heads"),
            Window = root.Optional("window_size") is { IsNull: false } window ? (int)window.Integer(1, int.MaxValue) : 256,
            AttentionPattern = Enumerable.Range(0, layers).All(l => pattern[l] == "gl"[l % 2]) ? "gl" : pattern.All(c => c == 'g') ? "g" : pattern,
            Positions = Count(root, "max_position_embeddings"),
            VocabularySize = Count(root, "vocab_size"),
            LayerNormEpsilon = root.Optional("layer_norm_epsilon") is { IsNull: false } epsilon ? epsilon.Number() : 1e-5,
            InitStd = root.Optional("initializer_range") is { IsNull: false } range && range.Number() > 0 ? range.Number() : 0.02,
        };
        config.Validate(path);
        return config;
    }

    private static int Count(JsonPlace root, string key) => (int)root.Required(key, "a count").Integer(1, 1 << 24);

    /// <summary>A letter a layer, from attention_layers or, expanded, attention_types.</summary>
    private static string Pattern(JsonPlace root, int layers)
    {
        var letters = new StringBuilder();
        JsonPlace list = root.Optional("attention_layers");
        if (!list.IsNull) foreach (JsonPlace kind in list.Items()) letters.Append(Letter(kind));
        else
        {
            foreach (JsonPlace item in root.Required("attention_types", "kinds of layers and how often").Items())
            {
                JsonPlace[] pair = [.. item.Items()];
                if (pair.Length != 2) throw item.Wrong("kinds of layers and how often");
                for (long i = pair[1].Integer(1, layers); i > 0 && letters.Length <= layers; i--)
                    foreach (JsonPlace kind in pair[0].Items()) letters.Append(Letter(kind));
            }
        }
        return letters.Length == layers ? letters.ToString()
            : throw (list.IsNull ? root.Required("attention_types", "") : list).Wrong($"kinds of {layers} layers, as num_layers says");

        static char Letter(JsonPlace kind) => kind.OneOf("global", "local")[0];
    }

    private static string Config(ChemGptConfig config, Vocabulary vocabulary, Precision dtype) => Text(new JsonObject
    {
        ["architectures"] = new JsonArray("GPTNeoForCausalLM"),
        ["model_type"] = "gpt_neo",
        ["activation_function"] = "gelu_new",
        ["attention_dropout"] = 0,
        ["attention_layers"] = new JsonArray([.. Enumerable.Range(0, config.Layers).Select(l => (JsonNode)Kind(config, l))]),
        ["attention_types"] = new JsonArray([.. Enumerable.Range(0, config.Layers).Select(l => (JsonNode)new JsonArray(new JsonArray(Kind(config, l)), 1))]),
        ["bos_token_id"] = vocabulary.Start,
        ["eos_token_id"] = vocabulary.End,
        ["pad_token_id"] = vocabulary.Padding ?? vocabulary.End,
        ["classifier_dropout"] = 0,
        ["embed_dropout"] = 0,
        ["hidden_size"] = config.Width,
        ["initializer_range"] = config.InitStd,
        ["intermediate_size"] = config.MlpWidth,
        ["layer_norm_epsilon"] = config.LayerNormEpsilon,
        ["max_position_embeddings"] = config.Positions,
        ["num_heads"] = config.Heads,
        ["num_layers"] = config.Layers,
        ["resid_dropout"] = 0,
        ["tie_word_embeddings"] = true,
        ["torch_dtype"] = Scalars.Format(dtype),
        ["use_cache"] = true,
        ["vocab_size"] = config.VocabularySize,
        ["window_size"] = config.Window,
    });

    private static string Kind(ChemGptConfig config, int layer) => config.IsLocal(layer) ? "local" : "global";

    private static string TokenizerConfig(ChemGptConfig config, Vocabulary vocabulary)
    {
        var json = new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["model_max_length"] = config.Positions,
            ["clean_up_tokenization_spaces"] = false,
            ["bos_token"] = vocabulary.Text(vocabulary.Start),
            ["cls_token"] = vocabulary.Text(vocabulary.Start),
            ["eos_token"] = vocabulary.Text(vocabulary.End),
            ["sep_token"] = vocabulary.Text(vocabulary.End),
            ["unk_token"] = vocabulary.Text(vocabulary.Unknown),
            ["pad_token"] = vocabulary.Text(vocabulary.Padding ?? vocabulary.End),
        };
        if (vocabulary.TryFind("[MASK]", out ushort mask) && vocabulary.IsSpecial(mask)) json["mask_token"] = "[MASK]";
        return Text(json);
    }

    private static string Card(string run, TrainedLanguageModel trained)
    {
        ChemGptConfig config = trained.Model.Config;
        var directory = new RunDirectory(run);
        TrainingResult? result = directory.IsDone ? directory.ReadResult() : null;
        Experiment experiment = trained.Experiment;
        string N(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
        var lines = new List<string>
        {
            "---", "library_name: transformers", $"tags: [chemistry, {trained.Tokenizer.Representation.ToString().ToLowerInvariant()}, gpt_neo]", "---", "",
            N($"# ChemGPT, {config.Layers} layers of width {config.Width}"), "",
            N($"A GPT-Neo language model of molecules as {trained.Tokenizer.Notation.Name}, trained with ChemScale."), "",
            "| | |", "|---|---|",
            N($"| experiment | {experiment.Id}, step {trained.Step} |"),
            N($"| non-embedding parameters | {config.NonEmbeddingParameters:N0} |"),
            N($"| vocabulary | {config.VocabularySize}, of which {trained.Tokenizer.Vocabulary.Size} are tokens |"),
            N($"| longest molecule | {config.Positions} tokens, [CLS] and [SEP] included |"),
        };
        if (File.Exists(Path.Combine(run, RunFacts.FileName)))
        {
            RunFacts facts = RunFacts.Read(run);
            lines.Add(N($"| unique training {facts.ItemName} | {facts.Items:N0} |"));
        }
        if (result is not null)
        {
            lines.Add(N($"| tokens seen | {result.ItemsSeen:N0} |"));
            lines.Add(N($"| best validation loss | {result.BestValidationLoss:F4} nats per token, at step {result.BestStep} |"));
        }
        lines.AddRange(["", "```python", "from transformers import GPTNeoForCausalLM, PreTrainedTokenizerFast", "",
            "model = GPTNeoForCausalLM.from_pretrained(FOLDER)", "tokenizer = PreTrainedTokenizerFast.from_pretrained(FOLDER)",
            "# The template puts [SEP] behind every text: a prompt is what stands before it.",
            $"ids = tokenizer(\"{(trained.Tokenizer.Representation == Representation.Smiles ? "CC" : "[C][C]")}\", return_tensors=\"pt\").input_ids[:, :-1]",
            "drawn = model.generate(ids)[0]",
            "print(\"\".join(tokenizer.convert_ids_to_tokens(drawn, skip_special_tokens=True)))", "```", "",
            "## Experiment", "", "```yaml", experiment.ToYaml().TrimEnd(), "```", ""]);
        return string.Join('\n', lines);
    }

    private static string Text(JsonObject json) => json.ToJsonString(Readable) + "\n";
}
