using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace ChemScale.Tests.Exchange;

/// <summary>Writes files as torch.save does, opcode by opcode, and ones that would do harm where they were executed.</summary>
internal sealed class TorchFile
{
    private readonly MemoryStream pickle = new();
    private readonly List<(string Key, byte[] Bytes)> storages = [];

    public TorchFile() => Op(0x80, 2);

    /// <summary>A dictionary of float32 tensors.</summary>
    public static byte[] Of(IEnumerable<(string Name, long[] Shape, float[] Values)> tensors)
    {
        var file = new TorchFile();
        file.Global("collections", "OrderedDict").Op(')').Op('R').Op('q', 0).Op('(');
        foreach ((string name, long[] shape, float[] values) in tensors) file.Text(name).Tensor("FloatStorage", shape, BytesOf(values));
        return file.Op('u').Op('.').Zip();
    }

    public static byte[] BytesOf(float[] values)
    {
        byte[] bytes = new byte[4 * values.Length];
        Buffer.BlockCopy(values, 0, bytes, 0, bytes.Length);
        return bytes;
    }

    public TorchFile Op(int opcode, params byte[] argument)
    {
        pickle.WriteByte((byte)opcode);
        pickle.Write(argument);
        return this;
    }

    public TorchFile Global(string module, string name) => Op('c', Encoding.ASCII.GetBytes($"{module}\n{name}\n"));

    public TorchFile Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text), length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        return Op('X', [.. length, .. bytes]);
    }

    public TorchFile Number(long value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, (int)value);
        return Op('J', bytes);
    }

    public TorchFile Numbers(IEnumerable<long> values)
    {
        Op('(');
        foreach (long value in values) Number(value);
        return Op('t');
    }

    /// <param name="type">Of its storage.</param>
    /// <param name="shape">Of the tensor.</param>
    /// <param name="bytes">Of the storage.</param>
    /// <param name="strides">Null: row by row.</param>
    /// <param name="count">Of numbers, as it is said; null: by the shape.</param>
    public TorchFile Tensor(string type, long[] shape, byte[] bytes, long[]? strides = null, long? count = null)
    {
        string key = $"{storages.Count}";
        storages.Add((key, bytes));
        if (strides is null)
        {
            strides = new long[shape.Length];
            long step = 1;
            for (int d = shape.Length - 1; d >= 0; d--) (strides[d], step) = (step, step * shape[d]);
        }
        Global("torch._utils", "_rebuild_tensor_v2").Op('(').Op('(').Text("storage").Global("torch", type).Text(key).Text("cpu");
        Number(count ?? shape.Aggregate(1L, (a, b) => a * b)).Op('t').Op('Q').Number(0).Numbers(shape).Numbers(strides).Op(0x89);
        return Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R');
    }

    public byte[] Zip(string order = "little")
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add("archive/data.pkl", pickle.ToArray());
            Add("archive/byteorder", Encoding.ASCII.GetBytes(order));
            foreach ((string key, byte[] content) in storages) Add($"archive/data/{key}", content);

            void Add(string name, byte[] content)
            {
                using Stream stream = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
                stream.Write(content);
            }
        }
        return bytes.ToArray();
    }
}
