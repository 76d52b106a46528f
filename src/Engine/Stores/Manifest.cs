using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Stores;

/// <summary>
/// What the manifests of all kinds of stores have: the options of whoever made the store, its files with their checksums, and a seal over the
/// manifest itself. Written last, so that its presence says the store is complete.
/// </summary>
public abstract record Manifest
{
    /// <summary>Version of the layout on disk.</summary>
    public const int Format = 1;

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The options of whoever made the store, by name.</summary>
    public required IReadOnlyDictionary<string, string> Options { get; init; }

    public required IReadOnlyList<StoredFile> Files { get; init; }

    /// <summary>Of the data files' checksums: the same for the same contents in the same order, wherever the folder is.</summary>
    public string Fingerprint => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(
        Files.OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => $"{file.Name} {file.Sha256}\n")))))[..16];

    /// <summary>The file's text, seal included.</summary>
    internal string ToJson()
    {
        JsonObject root = new() { ["format"] = Format };
        foreach ((string key, JsonNode? value) in Content().ToArray()) root[key] = value?.DeepClone();
        root["options"] = new JsonObject(Options.OrderBy(option => option.Key, StringComparer.Ordinal)
            .Select(option => KeyValuePair.Create(option.Key, (JsonNode?)JsonValue.Create(option.Value))));
        root["files"] = new JsonArray([.. Files.Select(file =>
            new JsonObject { ["name"] = file.Name, ["bytes"] = file.Bytes, ["sha256"] = file.Sha256 })]);
        return Encoding.UTF8.GetString(Seal.Json(root.ToJsonString(Indented)));
    }

    /// <summary>The members of this kind alone.</summary>
    private protected abstract JsonObject Content();

    /// <summary>Reads a store's manifest: the seal where it has one, no key but those known, sizes of its files.</summary>
    /// <param name="folder">The store.</param>
    /// <param name="names">Of its kind.</param>
    /// <param name="keys">Of <see cref="Content"/>.</param>
    /// <param name="parse">From the root, options and files to the manifest.</param>
    /// <param name="sha256">Of the file.</param>
    /// <exception cref="InputException">There is none, or it is damaged: file and key.</exception>
    internal static TManifest Read<TManifest>(
        string folder,
        StoreNames names,
        string[] keys,
        Func<JsonPlace, IReadOnlyDictionary<string, string>, IReadOnlyList<StoredFile>, TManifest> parse,
        out string sha256)
        where TManifest : Manifest
    {
        string path = Path.Combine(folder, names.Manifest);
        if (!File.Exists(path)) throw new InputException(folder, $"no {names.Manifest}", $"a complete {names.Kind}", names.Hint);
        byte[] bytes = ReadBytes(path, names);
        sha256 = FileChecksum.Of(bytes);
        using JsonDocument document = JsonPlace.Document(Seal.OpenJson(bytes, path, out InputException? damage), path);
        JsonPlace root = new(path, "", document.RootElement);
        JsonPlace format = root.Required("format", $"{Format}");
        if (format.Integer() != Format) throw format.Wrong($"{Format}", "prepare the data again with this version");
        TManifest manifest = parse(
            root,
            root.Required("options", "names and values").Members().ToDictionary(member => member.Key, member => member.Value.Text()),
            [.. root.Required("files", "a list of files").Items().Select(item => new StoredFile(
                item.Required("name", "a file name").Text(),
                item.Required("bytes", "a size").Integer(),
                item.Required("sha256", "a checksum").Text()))]);
        if (damage is not null) throw damage;
        root.RequireOnly(["format", .. keys, "options", "files"]);
        return manifest;
    }

    /// <summary>Its entry for a file, whose size must be that of so many values.</summary>
    /// <exception cref="InputException">No entry, or another size.</exception>
    internal StoredFile Expect(string path, string name, long values, int valueBytes)
    {
        StoredFile file = Expect(path, name);
        return file.Bytes / valueBytes == values && file.Bytes % valueBytes == 0
            ? file
            : throw new InputException($"{path}: files", $"{name} of {file.Bytes} bytes", $"{valueBytes} for each of {values} values");
    }

    /// <inheritdoc cref="Expect(string, string, long, int)"/>
    internal StoredFile Expect(string path, string name) => Files.FirstOrDefault(file => file.Name == name)
        ?? throw new InputException($"{path}: files", $"no entry for {name}", "size and checksum");

    private static byte[] ReadBytes(string path, StoreNames names)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UnreadableException(path, $"the manifest of a {names.Kind}", e);
        }
    }
}

/// <summary>What a kind of store consists of.</summary>
/// <param name="Kind">As a message calls it.</param>
/// <param name="Manifest">The file written last, whose presence says that the store is complete.</param>
/// <param name="Data">All other files.</param>
/// <param name="Hint">How one is made.</param>
internal sealed record StoreNames(string Kind, string Manifest, IReadOnlyList<string> Data, string Hint = Remedy.PrepareMolecules)
{
    /// <summary>What to do about a file that is not what was written.</summary>
    public const string Damaged = "the file is damaged: prepare the data again";
}

/// <summary>A file of a store as its manifest knows it.</summary>
/// <param name="Name">Name within the store.</param>
/// <param name="Bytes">Exact size.</param>
/// <param name="Sha256">Lower-case hexadecimal, as <c>sha256sum</c> prints it.</param>
public sealed record StoredFile(string Name, long Bytes, string Sha256);
