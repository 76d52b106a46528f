using System.Text;
using System.Text.RegularExpressions;

namespace ChemScale.Tests.Fuzz;

/// <summary>
/// Makes one damaged file after another out of sound ones: the same for the same number. Bytes are changed, cut, doubled and moved; words of
/// the format and numbers that no file should hold are put in.
/// </summary>
/// <param name="first">Sound files.</param>
/// <param name="words">Of the format.</param>
internal sealed partial class Mutator(IReadOnlyList<byte[]> first, params string[] words)
{
    private static readonly string[] Numbers =
    [
        "0", "-1", "1", "2147483647", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e999", "-1e999",
        "1e-999", "nan", "NaN", "inf", "-Infinity", "1.5", "0x10", "", "1e15", "65535", "65536",
    ];

    private static readonly byte[] Odd = [0, 1, 0x7F, 0x80, 0xFF, (byte)'\n', (byte)'\r', (byte)'"', (byte)'\'', (byte)'[', (byte)'{', (byte)']', (byte)':', (byte)',', (byte)' '];

    private readonly List<byte[]> seeds = [.. first];

    /// <summary>One more to damage: what it is decides the cases from here on.</summary>
    public void Keep(byte[] seed) => seeds.Add(seed);

    /// <summary>The case of that number.</summary>
    public byte[] Case(int number)
    {
        Random random = new(number);
        byte[] bytes = seeds[random.Next(seeds.Count)];
        for (int changes = 1 + random.Next(4); changes > 0; changes--) bytes = Changed(bytes, random);
        return bytes;
    }

    private byte[] Changed(byte[] bytes, Random random)
    {
        int at = random.Next(bytes.Length + 1), length = Math.Min(bytes.Length - at, 1 + random.Next(1 << random.Next(1, 9)));
        switch (random.Next(9))
        {
            case 0 when at < bytes.Length:
                return With(bytes, at, (byte)(bytes[at] ^ (1 << random.Next(8))));
            case 1 when at < bytes.Length:
                return With(bytes, at, Odd[random.Next(Odd.Length)]);
            case 2:
                return [.. bytes[..at], .. bytes[(at + length)..]];
            case 3:
                return [.. bytes[..(at + length)], .. bytes[at..]];
            case 4 when random.Next(4) == 0:
                return bytes[..at];
            case 5 when words.Length > 0:
                return [.. bytes[..at], .. Encoding.UTF8.GetBytes(words[random.Next(words.Length)]), .. bytes[at..]];
            case 6:
                return Renumbered(bytes, random);
            case 7:
                byte[] other = seeds[random.Next(seeds.Count)];
                int from = random.Next(other.Length + 1);
                return [.. bytes[..at], .. other[from..Math.Min(other.Length, from + length)], .. bytes[at..]];
            case 8 when at + 8 <= bytes.Length:
                byte[] wide = [.. bytes];
                BitConverter.TryWriteBytes(wide.AsSpan(at), ((long[])[0, -1, int.MaxValue, uint.MaxValue, long.MaxValue, long.MinValue, 1L << 40])[random.Next(7)]);
                return wide;
            default:
                return [.. bytes[..at], .. Enumerable.Repeat(Odd[random.Next(Odd.Length)], random.Next(64)), .. bytes[at..]];
        }
    }

    /// <summary>A number of the text becomes another; Latin 1 keeps all other bytes.</summary>
    private static byte[] Renumbered(byte[] bytes, Random random)
    {
        string text = Encoding.Latin1.GetString(bytes);
        MatchCollection found = Number().Matches(text);
        if (found.Count == 0) return bytes;
        Match one = found[random.Next(found.Count)];
        return Encoding.Latin1.GetBytes(text[..one.Index] + Numbers[random.Next(Numbers.Length)] + text[(one.Index + one.Length)..]);
    }

    private static byte[] With(byte[] bytes, int at, byte value)
    {
        byte[] changed = [.. bytes];
        changed[at] = value;
        return changed;
    }

    [GeneratedRegex(@"-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?", RegexOptions.IgnoreCase)]
    private static partial Regex Number();
}
