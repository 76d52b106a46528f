using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace ChemScale.Engine.Stores;

/// <summary>A value in a JSON file that knows where it stands, so that every complaint names file and key.</summary>
internal readonly struct JsonPlace(string file, string path, JsonElement value)
{
    private const int ShownCharacters = 40;

    private readonly JsonElement value = value;

    // Of two members of one name, which would count?
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public static JsonDocument Document(string json, string file) => Document(Encoding.UTF8.GetBytes(json), file);

    public static JsonDocument Document(ReadOnlySpan<byte> utf8, string file)
    {
        // The parser passes over them, and whoever asks for the text fails.
        if (!Utf8.IsValid(utf8)) throw new InputException(file, "bytes that are no UTF-8", "a JSON object");
        try
        {
            return JsonDocument.Parse(utf8.ToArray(), Strict);
        }
        catch (JsonException e)
        {
            throw new InputException(file, $"not JSON (line {e.LineNumber + 1})", "a JSON object");
        }
        catch (InvalidOperationException)
        {
            throw new InputException(file, "not JSON: half of a character in a key", "a JSON object");
        }
    }

    public bool IsNull => value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    /// <summary>A member that may be absent: then a null value.</summary>
    public JsonPlace Optional(string key)
    {
        Expect(JsonValueKind.Object, "an object");
        return new JsonPlace(file, Under(key), value.TryGetProperty(key, out JsonElement member) ? member : default);
    }

    public JsonPlace Required(string key, string expected)
    {
        JsonPlace member = Optional(key);
        return member.value.ValueKind == JsonValueKind.Undefined
            ? throw new InputException(file, $"no key {Under(key)}", expected)
            : member;
    }

    /// <summary>The JSON as it stands.</summary>
    public string Raw() => value.GetRawText();

    /// <exception cref="InputException">It has a member of another name.</exception>
    public void RequireOnly(params ReadOnlySpan<string> keys)
    {
        Expect(JsonValueKind.Object, "an object");
        foreach (JsonProperty member in value.EnumerateObject())
            if (!keys.Contains(member.Name)) throw new InputException(file, $"unknown key {Under(member.Name)}", string.Join(", ", keys!));
    }

    public IEnumerable<(string Key, JsonPlace Value)> Members()
    {
        Expect(JsonValueKind.Object, "an object");
        foreach (JsonProperty member in value.EnumerateObject())
        {
            yield return (member.Name, new JsonPlace(file, Under(member.Name), member.Value));
        }
    }

    public IEnumerable<JsonPlace> Items()
    {
        Expect(JsonValueKind.Array, "an array");
        int index = 0;
        foreach (JsonElement item in value.EnumerateArray()) yield return new JsonPlace(file, $"{path}[{index++}]", item);
    }

    public string Text()
    {
        Expect(JsonValueKind.String, "a string");
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // Half of a character that takes two.
            throw Wrong("a string of whole characters");
        }
    }

    /// <summary>A text that must be one of these.</summary>
    public string OneOf(params ReadOnlySpan<string> expected)
    {
        string text = Text();
        return expected.Contains(text) ? text : throw Wrong($"'{string.Join("' or '", expected!)}'");
    }

    public long Integer(long minimum = 0, long maximum = long.MaxValue)
    {
        string range = maximum >= int.MaxValue ? $"an integer of at least {minimum}" : $"an integer from {minimum} to {maximum}";
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= minimum && number <= maximum
            ? number
            : throw Wrong(range);
    }

    public double Number() => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number)
        ? number
        : throw Wrong("a number");

    public bool Boolean() => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong("true or false"),
    };

    /// <summary>The complaint: this value was found, <paramref name="expected"/> was expected.</summary>
    public InputException Wrong(string expected, string hint = "")
    {
        string found = IsNull ? "null" : value.GetRawText();
        if (found.Length > ShownCharacters) found = $"{found[..ShownCharacters]}...";
        return new InputException(path.Length > 0 ? $"{file}: {path}" : file, found, expected, hint);
    }

    private void Expect(JsonValueKind kind, string expected)
    {
        if (value.ValueKind != kind) throw Wrong(expected);
    }

    private string Under(string key) => path.Length > 0 ? $"{path}.{key}" : key;
}
