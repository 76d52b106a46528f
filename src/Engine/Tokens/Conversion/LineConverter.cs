using System.Globalization;
using System.Text;
using ChemScale.Engine.Chemistry.Selfies;

namespace ChemScale.Engine.Tokens.Conversion;

/// <summary>Converts single lines; one per thread.</summary>
internal sealed class LineConverter(ConversionOptions options)
{
    private readonly SelfiesCodec codec = SelfiesCodec.Create(options.Grammar);
    private ushort[] ids = new ushort[512];

    /// <summary>Appends the converted line, or <c>!ERROR reason</c>, and a line feed.</summary>
    /// <returns>False where the line was refused.</returns>
    public bool Append(string line, StringBuilder output)
    {
        // The first field, as in .smi files: a name may follow.
        ReadOnlySpan<char> field = options.From == LineForm.Tokens ? line : FirstField(line);
        string? reason = field.IsEmpty ? "empty line" : null;
        if (reason is null)
        {
            ReadOnlySpan<char> selfies = field;
            if (options.From == LineForm.Smiles && !codec.TryEncode(field, out selfies)) reason = codec.Reason;
            else if (options.From == LineForm.Tokens) reason = Decode(field, out selfies);
            reason ??= AppendTarget(selfies, output);
        }
        if (reason is not null) output.Append("!ERROR ").Append(reason.Length > 0 ? reason : "refused");
        output.Append('\n');
        return reason is null;
    }

    private string? AppendTarget(ReadOnlySpan<char> selfies, StringBuilder output)
    {
        switch (options.To)
        {
            case LineForm.Selfies:
                output.Append(selfies);
                return null;
            case LineForm.Smiles:
                if (!codec.TryDecode(selfies, out ReadOnlySpan<char> smiles)) return codec.Reason;
                output.Append(smiles);
                return null;
            default:
                return AppendIds(selfies, output);
        }
    }

    private string? AppendIds(ReadOnlySpan<char> selfies, StringBuilder output)
    {
        Tokenizer tokenizer = options.Tokenizer!;
        int most = tokenizer.MaximumIds(selfies.Length);
        if (ids.Length < most) ids = new ushort[2 * most];
        int count;
        try
        {
            count = tokenizer.Encode(selfies, ids);
        }
        catch (InputException e)
        {
            return e.Message;
        }
        for (int i = 0; i < count; i++)
        {
            if (i > 0) output.Append(' ');
            output.Append(CultureInfo.InvariantCulture, $"{ids[i]}");
        }
        return null;
    }

    /// <returns>What is wrong with the ids; null where nothing is.</returns>
    private string? Decode(ReadOnlySpan<char> line, out ReadOnlySpan<char> selfies)
    {
        selfies = default;
        var list = new List<ushort>();
        int size = options.Tokenizer!.Vocabulary.Size;
        foreach (Range range in line.Split(' '))
        {
            ReadOnlySpan<char> word = line[range].Trim();
            if (word.IsEmpty) continue;
            if (!ushort.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out ushort id) || id >= size) return $"'{word}' is no id below {size}";
            list.Add(id);
        }
        selfies = options.Tokenizer.Decode([.. list]);
        return null;
    }

    private static ReadOnlySpan<char> FirstField(ReadOnlySpan<char> line)
    {
        line = line.Trim();
        int end = line.IndexOfAny(' ', '\t');
        return end < 0 ? line : line[..end];
    }
}
