using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SelfAttention;

/// <summary>
/// Where each molecule lies in a packed batch of T tokens: molecule b owns rows <c>Starts[b] .. Starts[b + 1] - 1</c>. Index tensors for
/// the padded view are made on first use and live until disposal.
/// </summary>
public sealed class PackedRows : IDisposable
{
    private readonly int[] starts;
    private readonly Dictionary<int, Tensor> tiles = [];
    private Tensor? padded;
    private Tensor? unpadded;

    /// <param name="starts">(molecules + 1) ascending offsets; the last is T.</param>
    /// <exception cref="ArgumentException">Not ascending from 0, or an empty molecule.</exception>
    public PackedRows(ReadOnlySpan<int> starts)
    {
        this.starts = starts.ToArray();
        if (starts.Length == 0 || starts[0] != 0) throw new ArgumentException("row starts must begin with 0");
        for (int b = 0; b < Molecules; b++)
        {
            int length = starts[b + 1] - starts[b];
            if (length <= 0) throw new ArgumentException($"molecule {b} of the batch has {length} tokens");
            Longest = Math.Max(Longest, length);
        }
    }

    public ReadOnlySpan<int> Starts => starts;

    public int Molecules => starts.Length - 1;

    public int Tokens => starts[^1];

    public int Longest { get; }

    /// <summary>(molecules x Longest) row of each padded slot; slots beyond a molecule's end repeat its last row.</summary>
    public Tensor PaddedIndex(Device device) => padded ??= Build(device, pad: true);

    /// <summary>(T) padded slot of each row.</summary>
    public Tensor UnpaddedIndex(Device device) => unpadded ??= Build(device, pad: false);

    /// <summary>
    /// (tiles, 3) int32: the molecules cut into tiles of at most so many rows: molecule's first row and its end, tile's first row.
    /// </summary>
    public Tensor Tiles(int size, Device device)
    {
        if (tiles.TryGetValue(size, out Tensor? made)) return made;
        var table = new List<int>();
        for (int b = 0; b < Molecules; b++)
            for (int first = starts[b]; first < starts[b + 1]; first += size) table.AddRange([starts[b], starts[b + 1], first]);
        return tiles[size] = tensor(table.ToArray(), device: device).DetachFromDisposeScope();
    }

    /// <summary>
    /// Consecutive molecules in parts of about so many tokens, as even as whole molecules allow: (parts + 1) first molecules.
    /// </summary>
    internal int[] Parts(int tokens)
    {
        int count = Math.Max(1, (Tokens + tokens - 1) / tokens);
        var first = new List<int>(count + 1) { 0 };
        for (int b = 1; b < Molecules; b++)
        {
            // Cut where a share of the tokens ends, before or behind the molecule that reaches over it, whichever is nearer.
            long share = (long)Tokens * first.Count / count;
            if (starts[b] >= share || (starts[b + 1] > share && share - starts[b] <= starts[b + 1] - share)) first.Add(b);
        }
        first.Add(Molecules);
        return [.. first];
    }

    public void Dispose()
    {
        foreach (Tensor table in tiles.Values) table.Dispose();
        tiles.Clear();
        padded?.Dispose();
        unpadded?.Dispose();
        padded = unpadded = null;
    }

    private Tensor Build(Device device, bool pad)
    {
        var index = new long[pad ? Molecules * Longest : Tokens];
        for (int b = 0; b < Molecules; b++)
        {
            int length = starts[b + 1] - starts[b];
            for (int i = 0; i < (pad ? Longest : length); i++)
            {
                if (pad) index[b * Longest + i] = starts[b] + Math.Min(i, length - 1);
                else index[starts[b] + i] = b * Longest + i;
            }
        }
        return tensor(index, device: device).DetachFromDisposeScope();
    }
}
