using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Files;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using static TorchSharp.torch;

namespace ChemScale.Engine.Exchange;

/// <summary>Whose folder a model is written to or read from.</summary>
public enum ExchangeFormat
{
    /// <summary>Language models, as Hugging Face's GPTNeoForCausalLM and PreTrainedTokenizerFast.</summary>
    HuggingFace,

    /// <summary>SchNet and PaiNN, as a state_dict of schnetpack with a script that loads it.</summary>
    SchNetPack,
}

/// <summary>Where a model comes from.</summary>
public sealed record ImportRequest
{
    /// <summary>A folder of config.json and weights: model.safetensors or pytorch_model.bin.</summary>
    public required string Folder { get; init; }

    /// <summary>Run directory to make.</summary>
    public required string Output { get; init; }

    /// <summary>Of the tokenizer, where its vocabulary does not show it.</summary>
    public SelfiesGrammar? Grammar { get; init; }

    /// <summary>How many bonds atoms may make; null: what the grammar has, or the tokenizer's file says.</summary>
    public BondConstraints? Constraints { get; init; }

    /// <summary>Of a force field's energies; null: eV.</summary>
    public EnergyUnit? Units { get; init; }
}

/// <summary>What was exchanged.</summary>
/// <param name="Path">Folder or run directory that was made.</param>
/// <param name="Format">Whose.</param>
/// <param name="Experiment">Id of the run.</param>
/// <param name="Parameters">Numbers in the weights.</param>
/// <param name="Notes">What whoever uses it should know, a line each.</param>
public sealed record ExchangeReport(string Path, ExchangeFormat Format, string Experiment, long Parameters, IReadOnlyList<string> Notes);

/// <summary>Run directories of models that were not trained there.</summary>
internal static class ImportedRun
{
    /// <summary>A run directory that holds the weights and what they need, as a training of no steps would leave it.</summary>
    /// <param name="request">Where from, where to.</param>
    /// <param name="weights">File that the weights were in.</param>
    /// <param name="model">The model.</param>
    /// <param name="experiment">Its data section is filled in.</param>
    /// <param name="modelFiles">What the model needs beside its weights.</param>
    /// <param name="warn">Gets lines about the directory.</param>
    /// <param name="stop">Ends a wait for it.</param>
    public static Experiment Write(ImportRequest request, string weights, nn.Module model, Experiment experiment, IReadOnlyDictionary<string, byte[]> modelFiles,
        Action<string> warn, CancellationToken stop)
    {
        string sum = FileChecksum.Of(weights, stop: stop);
        experiment = (experiment with
        {
            Data = experiment.Data with { Store = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(request.Folder))), Fingerprint = $"weights {sum}" },
            Training = experiment.Training with { Steps = 1, Epochs = null },
        }).Validated();
        var directory = new RunDirectory(request.Output);
        directory.RequireNew();
        using RunClaim claim = directory.Claim(null, warn, stop);
        directory.RequireNew();
        directory.ModelFiles.Keep(modelFiles, false, warn);
        directory.Keep(RunDirectory.ImportedFile, () => Seal.Json(new JsonObject
        {
            ["folder"] = Path.GetFullPath(request.Folder),
            ["file"] = Path.GetFileName(weights),
            ["sha256"] = sum,
        }.ToJsonString(new JsonSerializerOptions { WriteIndented = true })));
        directory.Checkpoints().Save(0, model.state_dict(), [], new JsonObject { ["experiment"] = experiment.Id }, claim.EnsureHeld);
        directory.KeepExperiment(experiment);
        return experiment;
    }
}

/// <summary>A folder that is there whole or not at all.</summary>
internal sealed class NewFolder : IDisposable
{
    private static readonly DiskStorage Storage = DiskStorage.Shared;

    private readonly string path, temporary, parent;
    private bool complete;

    /// <exception cref="InputException">It cannot be made.</exception>
    public NewFolder(string path)
    {
        this.path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        parent = Path.GetDirectoryName(this.path)!;
        temporary = $"{this.path}.{Guid.NewGuid().ToString("N")[..8]}.unfinished";
        Try(() =>
        {
            Storage.EnsureDirectory(parent);
            Storage.CreateDirectory(temporary);
        });
    }

    public void Write(string name, Action<Stream> write) => Try(() =>
    {
        using Stream stream = Storage.Create(Path.Combine(temporary, name));
        write(stream);
        Storage.Sync(stream);
    });

    public void Write(string name, string text) => Write(name, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    public void Complete() => Try(() =>
    {
        Storage.SyncDirectory(temporary);
        Storage.MoveDirectory(temporary, path);
        complete = true;
        Storage.SyncDirectory(parent);
    });

    public void Dispose()
    {
        if (!complete && Directory.Exists(temporary)) Storage.DeleteDirectory(temporary);
    }

    private void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw new InputException(path, "cannot be written", "a folder in one that can be written to", e.Message);
        }
    }
}

/// <summary>Tensors by name, out of whichever file they are in.</summary>
internal sealed class WeightFile : IDisposable
{
    private readonly IDisposable file;
    private readonly Func<string, Tensor?> read;

    private WeightFile(string path, IDisposable file, IEnumerable<string> names, Func<string, Tensor?> read)
    {
        (Path, this.file, this.read) = (path, file, read);
        Names = new HashSet<string>(names, StringComparer.Ordinal);
    }

    public string Path { get; }

    public IReadOnlySet<string> Names { get; }

    /// <summary>The first of these files that the folder has: a zip archive of PyTorch, whatever it is called, or safetensors.</summary>
    /// <exception cref="InputException">It has none, or one that is damaged.</exception>
    public static WeightFile Find(string folder, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            string path = System.IO.Path.Combine(folder, name);
            if (FileErrors.Exists(path)) return Open(path);
        }
        throw new InputException(folder, $"no {string.Join(" or ", names!)}", "the weights of a model", "of weights in several parts, make one file first");
    }

    /// <summary>A new tensor; null where there is none of that name.</summary>
    public Tensor? Read(string name) => read(name);

    public void Dispose() => file.Dispose();

    private static WeightFile Open(string path)
    {
        try
        {
            if (IsPickled(path))
            {
                TorchArchive archive = TorchArchive.Open(path);
                return new WeightFile(path, archive, archive.Tensors.Keys, archive.Read);
            }
            SafetensorsFile file = SafetensorsFile.Open(path);
            return new WeightFile(path, file, file.Entries.Keys, name => file.Entries.ContainsKey(name) ? file.Read(name) : null);
        }
        catch (SafetensorsException e)
        {
            throw e.AsInput();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, "cannot be read", "the weights of a model", e.Message);
        }
    }

    /// <summary>A zip archive, or by its name meant to be one.</summary>
    private static bool IsPickled(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        Span<byte> first = stackalloc byte[2];
        return (stream.ReadAtLeast(first, 2, throwOnEndOfStream: false) == 2 && first.SequenceEqual("PK"u8)) || System.IO.Path.GetExtension(path) is not ".safetensors";
    }
}
