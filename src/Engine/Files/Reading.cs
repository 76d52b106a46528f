using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ChemScale.Engine.Files;

/// <summary>
/// The border that every reader of a user's file stands behind: whatever a parser meets there that is no error of the file system is the
/// file's fault, and named with the file.
/// </summary>
internal static class Reading
{
    /// <param name="place">File, and key or line where one is known.</param>
    /// <param name="expected">What the file should be.</param>
    /// <param name="read">Reads.</param>
    /// <exception cref="InputException">What was read is not what it should be.</exception>
    public static T Guard<T>(string place, string expected, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (IsOfTheFile(e))
        {
            throw Damaged(place, expected, e);
        }
    }

    /// <summary>The same for what is read piece by piece.</summary>
    /// <inheritdoc cref="Guard{T}(string, string, Func{T})"/>
    public static IEnumerable<T> Guard<T>(string place, string expected, IEnumerable<T> items)
    {
        using IEnumerator<T> all = Guard(place, expected, items.GetEnumerator);
        while (Guard(place, expected, all.MoveNext)) yield return all.Current;
    }

    private static InputException Damaged(string place, string expected, Exception e) => new(
        place, e is OutOfMemoryException ? "asks for more memory than there is" : "damaged, or something else", expected, e is OutOfMemoryException ? "" : e.Message);

    private static bool IsOfTheFile(Exception e) => e is FormatException or ArithmeticException or InvalidDataException or InvalidCastException or JsonException
        or IndexOutOfRangeException or KeyNotFoundException or NullReferenceException or NotSupportedException or EndOfStreamException
        or OutOfMemoryException or InsufficientExecutionStackException || (e is ArgumentException or InvalidOperationException and not ObjectDisposedException);
}

/// <summary>
/// How much memory the contents of one file may take once they are unpacked and widened: what no honest file of its size comes near. A
/// kilobyte can describe gigabytes of zeros.
/// </summary>
/// <param name="path">The file.</param>
internal sealed class ReadBudget(string path)
{
    /// <summary>Raises the limit, in MiB.</summary>
    public const string Variable = "CHEMSCALE_READ_MEMORY";

    // Deflate makes a thousand zeros of one byte; real numbers hardly shrink. Reading widens bytes to numbers of eight.
    private const long Free = 96L << 20, FreeText = 16L << 20, Times = 64;

    private readonly long whole = Chosen() ?? Free + Times * new FileInfo(path).Length;
    private long taken;

    /// <summary>Before anything of the size is allocated.</summary>
    /// <param name="place">File and key.</param>
    /// <param name="count">Elements; never negative.</param>
    /// <param name="bytes">Of each.</param>
    /// <exception cref="InputException">That is too much.</exception>
    public void Take(string place, long count, long bytes)
    {
        if (count > (whole - taken) / Math.Max(1, bytes)) throw TooMany(place, count);
        taken += count * bytes;
    }

    /// <summary>Before something of the size is allocated for a while, beside what was taken.</summary>
    /// <inheritdoc cref="Take"/>
    public void Hold(string place, long count, long bytes)
    {
        if (count > whole / Math.Max(1, bytes)) throw TooMany(place, count);
    }

    private InputException TooMany(string place, long count) => new(
        place, $"{count} elements", $"at most {whole >> 20} MiB of memory for a file of {new FileInfo(path).Length} bytes", $"{Variable} sets another limit, in MiB");

    /// <summary>After so many bytes more came out of compressed ones.</summary>
    /// <inheritdoc cref="Take"/>
    public void Unpack(string place, long bytes)
    {
        taken += bytes;
        long most = Chosen() ?? whole - Free + FreeText;
        if (taken > most) throw new InputException(place, $"more than {most >> 20} MiB out of {new FileInfo(path).Length} compressed bytes", "less", $"{Variable} sets another limit, in MiB");
    }

    /// <summary>The product of a shape's sizes.</summary>
    /// <exception cref="InputException">A negative size, or more elements than an array can have.</exception>
    public static long Elements(string place, ReadOnlySpan<long> shape)
    {
        long product = 1;
        bool empty = shape.Contains(0);
        foreach (long size in shape)
        {
            if (size < 0 || (!empty && product > Array.MaxLength / size))
                throw new InputException(place, $"shape ({string.Join(", ", shape.ToArray())})", $"at most {Array.MaxLength} elements");
            product = empty ? 0 : product * size;
        }
        return product;
    }

    private static long? Chosen() => long.TryParse(Environment.GetEnvironmentVariable(Variable), NumberStyles.None, CultureInfo.InvariantCulture, out long mebibytes)
        && mebibytes < 1L << 40 ? mebibytes << 20 : null;
}

/// <summary>Depth of nested lists and mappings, kept by whoever walks a file's tree.</summary>
internal static class Nesting
{
    /// <summary>More than any file of ours has, and far from the end of a stack.</summary>
    public const int Deepest = 32;

    /// <exception cref="InputException">Deeper.</exception>
    public static void Check(int depth, string place)
    {
        if (depth > Deepest) throw new InputException(place, $"more than {Deepest} levels, one in another", "fewer");
        RuntimeHelpers.EnsureSufficientExecutionStack();
    }
}
