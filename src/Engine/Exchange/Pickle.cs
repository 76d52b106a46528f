using System.Buffers.Binary;
using System.Text;

namespace ChemScale.Engine.Exchange;

/// <summary>
/// Reads a pickle (protocols 2 to 5, PEP 307, 3154, 574) as data: dictionaries, lists, texts, numbers, and tensors as torch.save writes them. What
/// makes a pickle run code, a name to look up and an object to call, is known here by a list of names and nothing is looked up or called: any other
/// name is refused, and any opcode that tensors have no need of.
/// </summary>
internal sealed class Pickle
{
    // What torch.save names in a dictionary of tensors.
    private const string Ordered = "collections.OrderedDict", Tensor = "torch._utils._rebuild_tensor_v2", Parameter = "torch._utils._rebuild_parameter";
    private const string StorageSuffix = "Storage";

    private static readonly string[] Storages =
    [
        "torch.DoubleStorage", "torch.FloatStorage", "torch.HalfStorage", "torch.BFloat16Storage", "torch.LongStorage", "torch.IntStorage", "torch.ShortStorage",
        "torch.CharStorage", "torch.ByteStorage", "torch.BoolStorage",
    ];

    private readonly byte[] bytes;
    private readonly string place;
    private readonly Stack<List<object?>> outer = new();
    private readonly Dictionary<long, object?> memo = [];
    private List<object?> stack = [];
    private int at;

    private Pickle(byte[] bytes, string place) => (this.bytes, this.place) = (bytes, place);

    /// <param name="bytes">Of the pickle.</param>
    /// <param name="place">What to name in an error.</param>
    /// <returns>null, bool, long, double, string, List, object[] (a tuple), <see cref="PickledMap"/> or <see cref="PickledTensor"/>.</returns>
    /// <exception cref="InputException">It is damaged, or would do more than describe data.</exception>
    public static object? Read(byte[] bytes, string place) => new Pickle(bytes, place).Run();

    private object? Run()
    {
        while (true)
        {
            byte opcode = Byte();
            switch (opcode)
            {
                case 0x80: // PROTO
                    if (Byte() is < 2 or > 5) throw Wrong($"protocol {bytes[at - 1]}", "2 to 5");
                    break;
                case 0x95: // FRAME
                    Take(8);
                    break;
                case (byte)'N': Push(null); break;
                case 0x88: Push(true); break;
                case 0x89: Push(false); break;
                case (byte)'K': Push((long)Byte()); break;
                case (byte)'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
                case (byte)'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
                case 0x8a: Push(Long(Take(Byte()))); break;
                case (byte)'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
                case 0x8c: Push(Text(Byte())); break;
                case (byte)'X': Push(Text(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
                case 0x8d: Push(Text(BinaryPrimitives.ReadInt64LittleEndian(Take(8)))); break;
                case (byte)'}': Push(new PickledMap()); break;
                case (byte)']': Push(new List<object?>()); break;
                case (byte)')': Push(Array.Empty<object?>()); break;
                case (byte)'(':
                    outer.Push(stack);
                    stack = [];
                    break;
                case (byte)'t': Push((object?[])[.. Marked()]); break;
                case 0x85: Push((object?[])[.. Last(1)]); break;
                case 0x86: Push((object?[])[.. Last(2)]); break;
                case 0x87: Push((object?[])[.. Last(3)]); break;
                case (byte)'a':
                    object? item = Pop();
                    Top<List<object?>>().Add(item);
                    break;
                case (byte)'e':
                    List<object?> items = Marked();
                    Top<List<object?>>().AddRange(items);
                    break;
                case (byte)'s':
                    object?[] pair = [.. Last(2)];
                    Set(pair);
                    break;
                case (byte)'u':
                    List<object?> pairs = Marked();
                    if (pairs.Count % 2 != 0) throw Wrong("a key without a value", "pairs");
                    for (int i = 0; i < pairs.Count; i += 2) Set([pairs[i], pairs[i + 1]]);
                    break;
                case (byte)'q': memo[Byte()] = Top<object>(); break;
                case (byte)'r': memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Top<object>(); break;
                case 0x94: memo[memo.Count] = Top<object>(); break;
                case (byte)'h': Recall(Byte()); break;
                case (byte)'j': Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;
                case (byte)'c': Push(Known(Line() + "." + Line())); break;
                case 0x93: // STACK_GLOBAL
                    object?[] names = [.. Last(2)];
                    Push(Known($"{names[0]}.{names[1]}"));
                    break;
                case (byte)'Q': Push(Storage(Pop())); break;
                case (byte)'R':
                    object?[] call = [.. Last(2)];
                    Push(Rebuilt(call[0], call[1]));
                    break;
                case (byte)'b':
                    // An ordered dictionary's attributes: versions of modules, which say nothing of tensors.
                    Pop();
                    if (Top<object>() is not PickledMap) throw Refused("sets the attributes of an object");
                    break;
                case (byte)'.':
                    if (outer.Count > 0 || stack.Count != 1) throw Wrong("ends within an object", "a whole pickle");
                    return Pop();
                default:
                    throw Refused($"opcode 0x{opcode:x2} at byte {at - 1}");
            }
        }
    }

    private Name Known(string name) => name is Ordered or Tensor or Parameter || Storages.Contains(name) ? new Name(name) : throw Refused($"names {OneLine.Of(name)}");

    private PickledStorage Storage(object? id)
    {
        if (id is not object?[] { Length: 5 } parts || parts[0] is not "storage" || parts[1] is not Name { Text: var type } || !type.EndsWith(StorageSuffix, StringComparison.Ordinal)
            || parts[2] is not string key || parts[4] is not long count || count < 0)
            throw Refused("refers to what is no storage of a tensor");
        return new PickledStorage(type["torch.".Length..^StorageSuffix.Length], key, count);
    }

    /// <summary>What would come of the call, for the three calls that tensors are written with.</summary>
    private object Rebuilt(object? called, object? given)
    {
        object?[] arguments = given as object?[] ?? throw Refused("calls without arguments");
        switch (called)
        {
            case Name { Text: Ordered } when arguments.Length == 0:
                return new PickledMap();
            case Name { Text: Tensor } when arguments.Length >= 4 && arguments[0] is PickledStorage storage && arguments[1] is long offset:
                return new PickledTensor(storage, offset, Sizes(arguments[2]), Sizes(arguments[3]));
            case Name { Text: Parameter } when arguments.Length >= 1 && arguments[0] is PickledTensor tensor:
                return tensor;
            default:
                throw Refused(called is Name name ? $"calls {name.Text} in another way than torch.save does" : "calls what is no name");
        }
    }

    private long[] Sizes(object? tuple) => tuple is object?[] items && items.All(i => i is long)
        ? [.. items.Select(i => (long)i!)] : throw Wrong("a shape that is no tuple of numbers", "one");

    private void Set(object?[] pair)
    {
        PickledMap map = Top<PickledMap>();
        map.Items.Add((pair[0], pair[1]));
    }

    private void Recall(long index) => Push(memo.TryGetValue(index, out object? value) ? value : throw Wrong($"an object {index} that is not there", "a whole pickle"));

    private void Push(object? value) => stack.Add(value);

    private object? Pop() => Last(1)[0];

    private List<object?> Last(int count)
    {
        if (stack.Count < count) throw Wrong("an operation on nothing", "a whole pickle");
        List<object?> last = stack.GetRange(stack.Count - count, count);
        stack.RemoveRange(stack.Count - count, count);
        return last;
    }

    private T Top<T>()
        where T : class => stack.Count > 0 && stack[^1] is T top ? top : throw Wrong("an operation on another kind of object", "a whole pickle");

    private List<object?> Marked()
    {
        if (outer.Count == 0) throw Wrong("an operation on nothing", "a whole pickle");
        List<object?> marked = stack;
        stack = outer.Pop();
        return marked;
    }

    private byte Byte() => Take(1)[0];

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count < 0 || count > bytes.Length - at) throw Wrong("ends early", "a whole pickle");
        at += (int)count;
        return bytes.AsSpan(at - (int)count, (int)count);
    }

    private string Text(long length) => Encoding.UTF8.GetString(Take(length));

    private string Line()
    {
        int length = bytes.AsSpan(at).IndexOf((byte)'\n');
        string line = Text(length);
        at++;
        return line;
    }

    private long Long(ReadOnlySpan<byte> little)
    {
        if (little.Length > sizeof(long)) throw Wrong($"a number of {little.Length} bytes", "at most eight");
        if (little.Length == 0) return 0;
        long value = (sbyte)little[^1];
        for (int i = little.Length - 2; i >= 0; i--) value = (value << 8) | little[i];
        return value;
    }

    private InputException Wrong(string found, string expected) => new(place, found, expected, "the file is damaged");

    private InputException Refused(string what) => new(place, what, "tensors by name, which is all that is read of a pickle",
        "save the weights alone: torch.save(model.state_dict(), FILE), or safetensors");

    private sealed record Name(string Text);
}

/// <summary>A dictionary of a pickle, in its order; a later value of a key stands for the earlier one.</summary>
internal sealed class PickledMap
{
    public List<(object? Key, object? Value)> Items { get; } = [];
}

/// <summary>Where a tensor's numbers are: a member of the archive.</summary>
/// <param name="Type">Float, Half, Long, ...</param>
/// <param name="Key">Name of the member below data.</param>
/// <param name="Count">Of numbers.</param>
internal sealed record PickledStorage(string Type, string Key, long Count);

/// <summary>A tensor: which numbers of a storage, in numbers from its beginning.</summary>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, long[] Sizes, long[] Strides);
