using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChemScale.Engine.Files;

/// <summary>
/// A small text file that carries the SHA-256 of all its other bytes at its own end: JSON as a last member <c>seal</c>, YAML as a last
/// comment. One file, written in one step, so that no crash leaves a text and a checksum that do not belong together.
/// </summary>
internal static class Seal
{
    private const int Digits = 64;
    private const string Expected = "the bytes that were written";

    private static readonly ConditionalWeakTable<JsonSerializerOptions, JsonSerializerOptions> StrictOptions = [];
    private static readonly byte[] JsonHead = Encoding.ASCII.GetBytes(",\n  \"seal\": \"");
    private static readonly byte[] JsonKey = Encoding.ASCII.GetBytes("\"seal\": \"");
    private static readonly byte[] JsonTail = Encoding.ASCII.GetBytes("\"\n}\n");
    private static readonly byte[] YamlHead = Encoding.ASCII.GetBytes("# seal: ");
    private static readonly byte[] YamlTail = [(byte)'\n'];

    /// <param name="text">A JSON object with at least one member.</param>
    public static byte[] Json(string text)
    {
        string body = text.TrimEnd();
        if (!body.EndsWith('}')) throw new ArgumentException("no JSON object", nameof(text));
        return Sealed(body[..^1].TrimEnd(), JsonHead, JsonTail);
    }

    /// <param name="utf8">A JSON object with at least one member.</param>
    public static byte[] Json(ReadOnlySpan<byte> utf8) => Json(Encoding.UTF8.GetString(utf8));

    /// <param name="text">A YAML document without comments.</param>
    public static byte[] Yaml(string text) => Sealed(text.EndsWith('\n') ? text : text + "\n", YamlHead, YamlTail);

    /// <summary>The JSON without its seal; a file without one, of an earlier version, as it is.</summary>
    /// <param name="bytes">Of the file. A reader of the result must refuse keys that it does not know: a damaged seal is one.</param>
    /// <param name="path">Named in the damage.</param>
    /// <param name="damage">Not null where some byte is not what was written. A reader may say first what it does not understand.</param>
    public static ReadOnlySpan<byte> OpenJson(ReadOnlySpan<byte> bytes, string path, out InputException? damage)
    {
        damage = null;
        if (Fits(bytes, JsonHead, JsonTail)) return (byte[])[.. Opened(bytes, JsonHead, JsonTail, path, out damage), .. "\n}\n"u8];
        if (bytes.IndexOf(JsonKey) >= 0) damage = Damaged(path);
        return bytes;
    }

    /// <summary>The YAML without its seal, which is checked; a file without one, of an earlier version, as it is.</summary>
    /// <param name="bytes">Of a file that this program wrote: it has no comment but the seal.</param>
    /// <param name="path">Named in the error.</param>
    /// <exception cref="InputException">Some byte is not what was written.</exception>
    public static string OpenYaml(ReadOnlySpan<byte> bytes, string path)
    {
        InputException? damage = null;
        if (Fits(bytes, YamlHead, YamlTail)) bytes = Opened(bytes, YamlHead, YamlTail, path, out damage);
        else if (bytes.IndexOf(YamlHead) >= 0 || bytes.IndexOf("\n#"u8) >= 0) damage = Damaged(path);
        return damage is null ? Encoding.UTF8.GetString(bytes) : throw damage;
    }

    /// <summary>A record out of a sealed JSON file, or of one of an earlier version.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How it was written; members that are unknown or missing are refused whatever they say.</param>
    /// <param name="expected">What it is, for the error.</param>
    /// <exception cref="InputException">It cannot be read, or is damaged.</exception>
    public static T ReadJson<T>(string path, JsonSerializerOptions options, string expected)
    {
        try
        {
            ReadOnlySpan<byte> json = OpenJson(File.ReadAllBytes(path), path, out InputException? damage);
            T value = JsonSerializer.Deserialize<T>(json, Strict(options)) ?? throw new InputException(path, "nothing", expected);
            return damage is null ? value : throw damage;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or NotSupportedException or ArgumentException)
        {
            throw new InputException(path, e.Message, expected);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UnreadableException(path, expected, e);
        }
    }

    private static JsonSerializerOptions Strict(JsonSerializerOptions options) => StrictOptions.GetValue(options, static options => new(options)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    });

    private static byte[] Sealed(string body, byte[] head, byte[] tail)
    {
        byte[] start = [.. Encoding.UTF8.GetBytes(body), .. head];
        return [.. start, .. Digest(start, tail), .. tail];
    }

    private static bool Fits(ReadOnlySpan<byte> bytes, byte[] head, byte[] tail) =>
        bytes.Length > head.Length + Digits + tail.Length && bytes.EndsWith(tail) && bytes[..^(Digits + tail.Length)].EndsWith(head);

    /// <summary>What stands before the seal.</summary>
    private static ReadOnlySpan<byte> Opened(ReadOnlySpan<byte> bytes, byte[] head, byte[] tail, string path, out InputException? damage)
    {
        ReadOnlySpan<byte> start = bytes[..^(Digits + tail.Length)];
        damage = bytes.Slice(start.Length, Digits).SequenceEqual(Digest(start, tail)) ? null : Damaged(path);
        return start[..^head.Length];
    }

    private static byte[] Digest(ReadOnlySpan<byte> start, byte[] tail)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(start);
        hash.AppendData(tail);
        return Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static InputException Damaged(string path) =>
        new(path, "other bytes than its seal says", Expected, "the file is damaged or was edited: restore it");
}
