using System.Runtime.CompilerServices;

namespace ChemScale.Engine.Chemistry;

/// <summary>Characters in one array that is kept between uses: appending allocates only while the longest text so far grows.</summary>
internal sealed class TextBuffer
{
    private char[] characters = new char[512];

    public int Length { get; private set; }

    public ReadOnlySpan<char> Text => characters.AsSpan(0, Length);

    public void Clear() => Length = 0;

    /// <summary>Drops what follows the first <paramref name="length"/> characters.</summary>
    public void Truncate(int length) => Length = length;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(char character)
    {
        int at = Length;
        char[] room = characters;
        if ((uint)at >= (uint)room.Length) room = Grow(1);
        room[at] = character;
        Length = at + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(ReadOnlySpan<char> text)
    {
        if (characters.Length - Length < text.Length) Grow(text.Length);
        text.CopyTo(characters.AsSpan(Length));
        Length += text.Length;
    }

    public void Append(long number)
    {
        if (characters.Length - Length < 20) Grow(20);
        number.TryFormat(characters.AsSpan(Length), out int written);
        Length += written;
    }

    private char[] Grow(int needed)
    {
        Array.Resize(ref characters, Math.Max(2 * characters.Length, Length + needed));
        return characters;
    }
}
