namespace ChemScale.Engine.Studies.Sweeps;

/// <summary>A key of the experiment and the values it takes: <c>training.learningRate=1e-4,1e-3</c>.</summary>
public sealed record Variation(string Key, IReadOnlyList<string> Values)
{
    /// <exception cref="InputException">Not KEY=VALUE,VALUE...</exception>
    public static Variation Parse(string text)
    {
        int equals = text.IndexOf('=');
        string[] values = equals < 0 ? [] : text[(equals + 1)..].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return equals > 0 && values.Length > 0
            ? new Variation(text[..equals].Trim(), values)
            : throw new InputException("vary", $"'{text}'", "KEY=VALUE,VALUE..., such as training.learningRate=1e-4,1e-3 or model.width=16,32");
    }
}
