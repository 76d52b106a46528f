using System.Buffers.Binary;
using System.Text;
using ChemScale.Engine.Training.Checkpoints;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Training;

public class SafetensorsTests
{
    [Test]
    public void Every_type_shape_and_layout_comes_back_bit_for_bit(
        [Values(ScalarType.Float32, ScalarType.Float64, ScalarType.BFloat16, ScalarType.Float16, ScalarType.Int64, ScalarType.Int32,
            ScalarType.Byte, ScalarType.Bool)]
        ScalarType type)
    {
        using var folder = new TemporaryFolder();
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(2);
        Tensor whole = (randn(6, 5, 4, generator: generator) * 50).to(type);
        var tensors = new Dictionary<string, Tensor>
        {
            ["whole"] = whole,
            ["turned"] = whole.transpose(0, 2),
            ["part"] = whole.narrow(0, 2, 3),
            ["scalar"] = (randn(1, generator: generator) * 50).to(type).squeeze(),
            ["empty"] = zeros(0, 3, dtype: type),
            ["odd \"name\" \u00e9"] = ones(3, dtype: type),
        };
        WriteFile(folder["t"], tensors, new Dictionary<string, string> { ["made by"] = "a test" });
        using SafetensorsFile file = SafetensorsFile.Open(folder["t"]);
        Assert.That(file.Entries.Keys, Is.EquivalentTo(tensors.Keys));
        Assert.That(file.Metadata, Is.EquivalentTo(new Dictionary<string, string> { ["made by"] = "a test" }));
        foreach ((string name, Tensor tensor) in tensors)
        {
            Tensor read = file.Read(name);
            Assert.That(read.dtype, Is.EqualTo(type));
            Assert.That(read.shape, Is.EqualTo(tensor.shape), name);
            Assert.That(read.bytes.ToArray(), Is.EqualTo(tensor.contiguous().clone().bytes.ToArray()), name);
        }
    }

    [Test]
    public void Tensors_longer_than_one_piece_are_written_and_read_whole()
    {
        using var folder = new TemporaryFolder();
        using Tensor tensor = arange(9_000_001, dtype: ScalarType.Int32);
        WriteFile(folder["t"], new Dictionary<string, Tensor> { ["t"] = tensor });
        using SafetensorsFile file = SafetensorsFile.Open(folder["t"]);
        using Tensor read = file.Read("t");
        Assert.That(read.equal(tensor).all().item<bool>());
        using Tensor target = zeros_like(tensor);
        file.ReadInto("t", target);
        Assert.That(target.equal(tensor).all().item<bool>());
    }

    [Test]
    public void Tensors_of_any_strides_are_overwritten_in_the_order_of_their_elements([Values(6, 1_100_000)] long columns)
    {
        using var folder = new TemporaryFolder();
        using DisposeScope scope = NewDisposeScope();
        Tensor values = arange(4 * columns, dtype: ScalarType.Int32).view(4, columns);
        WriteFile(folder["t"], new Dictionary<string, Tensor> { ["row by row"] = values, ["column by column"] = values.t().contiguous().t() });
        using SafetensorsFile file = SafetensorsFile.Open(folder["t"]);
        foreach (string name in file.Entries.Keys)
        {
            Tensor turned = zeros(columns, 4, dtype: ScalarType.Int32).t(), room = zeros(6, columns + 2, dtype: ScalarType.Int32),
                part = room.narrow(0, 1, 4).narrow(1, 1, columns);
            Tensor everyOther = zeros(4, columns, 2, dtype: ScalarType.Int32).select(2, 1);
            foreach (Tensor target in (Tensor[])[turned, part, everyOther])
            {
                Assert.That(target.is_contiguous(), Is.False);
                file.ReadInto(name, target);
                Assert.That(target.equal(values).all().item<bool>(), name);
            }
            Assert.That(room.sum().item<long>(), Is.EqualTo(values.sum().item<long>()), "what lies around stays");
        }
    }

    [Test]
    public void The_layout_is_the_published_one()
    {
        var stream = new MemoryStream();
        using Tensor bytes = tensor(new byte[] { 1, 2, 3 });
        using Tensor floats = tensor(new[] { 1f, -2f });
        SafetensorsWriter.Write(stream, new Dictionary<string, Tensor> { ["b"] = bytes, ["a"] = floats });
        byte[] file = stream.ToArray();
        long length = BinaryPrimitives.ReadInt64LittleEndian(file);
        Assert.That(length % 8, Is.Zero);
        Assert.That(Encoding.UTF8.GetString(file, 8, (int)length).TrimEnd(' '), Is.EqualTo(
            """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}"""));
        Assert.That(file[(8 + (int)length)..], Is.EqualTo(new byte[] { 0, 0, 128, 63, 0, 0, 0, 192, 1, 2, 3 }));
    }

    private static readonly object[][] BadHeaders =
    [
        [SafetensorsFault.HeaderJson, """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""", 8],
        [SafetensorsFault.HeaderJson, """ {}""", 0],
        [SafetensorsFault.HeaderJson, """[]""", 0],
        [SafetensorsFault.HeaderJson, """{"a":3}""", 0],
        [SafetensorsFault.HeaderJson, """{"a":{"dtype":"F32","shape":[2]}}""", 8],
        [SafetensorsFault.HeaderJson, """{"__metadata__":{"n":1}}""", 0],
        [SafetensorsFault.HeaderJson,
            """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1],
        [SafetensorsFault.Dtype, """{"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}""", 8],
        [SafetensorsFault.Shape, """{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8],
        [SafetensorsFault.Shape, """{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8],
        [SafetensorsFault.Shape, """{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8],
        [SafetensorsFault.Shape, """{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0],
        [SafetensorsFault.Offsets, """{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8],
        [SafetensorsFault.Offsets, """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8],
        [SafetensorsFault.Offsets, """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8],
        [SafetensorsFault.Offsets,
            """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12],
        [SafetensorsFault.Offsets,
            """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12],
        [SafetensorsFault.Truncated, """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7],
        [SafetensorsFault.TrailingBytes, """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9],
    ];

    [TestCaseSource(nameof(BadHeaders))]
    public void Each_way_a_file_can_be_wrong_has_its_own_fault(SafetensorsFault fault, string header, int dataBytes)
    {
        using var folder = new TemporaryFolder();
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        File.WriteAllBytes(folder["t"], [.. length, .. json, .. new byte[dataBytes]]);
        Assert.That(() => SafetensorsFile.Open(folder["t"]), Throws.TypeOf<SafetensorsException>().With.Property("Fault").EqualTo(fault));
    }

    [TestCase("", SafetensorsFault.Truncated)]
    [TestCase("0102", SafetensorsFault.Truncated)]
    [TestCase("ffffffffffffffff", SafetensorsFault.HeaderLength)]
    [TestCase("0000000000000000", SafetensorsFault.HeaderLength)]
    [TestCase("60000000000000007b7d", SafetensorsFault.Truncated)]
    public void Lengths_that_cannot_be_are_told_apart(string hex, SafetensorsFault fault)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["t"], Convert.FromHexString(hex));
        Assert.That(() => SafetensorsFile.Open(folder["t"]), Throws.TypeOf<SafetensorsException>().With.Property("Fault").EqualTo(fault));
    }

    [Test]
    public void Missing_and_mismatched_tensors_are_named()
    {
        using var folder = new TemporaryFolder();
        using Tensor tensor = ones(2, 3);
        WriteFile(folder["t"], new Dictionary<string, Tensor> { ["here"] = tensor });
        using SafetensorsFile file = SafetensorsFile.Open(folder["t"]);
        Assert.That(() => file.Read("gone"), Throws.TypeOf<SafetensorsException>().With.Message.Contains("gone"));
        using Tensor turned = ones(3, 2);
        using Tensor wider = ones(2, 3, dtype: ScalarType.Float64);
        Assert.That(() => file.ReadInto("here", turned),
            Throws.TypeOf<SafetensorsException>().With.Message.Contains("(2, 3), wanted F32 (3, 2)"));
        Assert.That(() => file.ReadInto("here", wider),
            Throws.TypeOf<SafetensorsException>().With.Property("Fault").EqualTo(SafetensorsFault.Mismatch));
    }

    private static void WriteFile(string path, Dictionary<string, Tensor> tensors, Dictionary<string, string>? metadata = null)
    {
        using FileStream stream = File.Create(path);
        SafetensorsWriter.Write(stream, tensors, metadata);
    }
}
