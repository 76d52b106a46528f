namespace ChemScale.Engine.Training.Checkpoints;

/// <summary>A safetensors file that is not one, or is damaged; <see cref="Fault"/> says in which way.</summary>
public sealed class SafetensorsException(SafetensorsFault fault, string path, string detail)
    : Exception($"{path}: {detail} ({fault})")
{
    public SafetensorsFault Fault { get; } = fault;

    public string Path { get; } = path;

    /// <summary>What is wrong, without the file's name.</summary>
    public string Detail { get; } = detail;

    /// <summary>The same as a user's mistake, for files that users name.</summary>
    public InputException AsInput(string hint = "") => new(Path, Detail, "a safetensors file", hint);
}

public enum SafetensorsFault
{
    /// <summary>The file ends before its header, or before its data do.</summary>
    Truncated,

    /// <summary>The length of the header is not plausible.</summary>
    HeaderLength,

    /// <summary>The header is not the JSON it should be.</summary>
    HeaderJson,

    /// <summary>A type that the format does not have.</summary>
    Dtype,

    /// <summary>A negative or overflowing dimension, or one that does not agree with the size of the data.</summary>
    Shape,

    /// <summary>Data ranges that overlap, leave holes or run backwards.</summary>
    Offsets,

    /// <summary>Bytes after the data.</summary>
    TrailingBytes,

    /// <summary>A tensor that was asked for is not there.</summary>
    MissingTensor,

    /// <summary>A tensor has another type or shape than the place it is read into.</summary>
    Mismatch,

    /// <summary>The content is not what its recorded SHA-256 says.</summary>
    Checksum,
}
