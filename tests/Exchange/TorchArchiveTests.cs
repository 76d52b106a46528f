using System.Text;
using ChemScale.Engine.Exchange;
using ChemScale.Tests.Simulation;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Exchange;

public sealed class TorchArchiveTests
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void Make() => folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void Tensors_come_out_by_name_whatever_their_strides()
    {
        byte[] bytes = TorchFile.BytesOf([0, 1, 2, 3, 4, 5]);
        var file = new TorchFile();
        file.Op('}').Op('(').Text("rows").Tensor("FloatStorage", [2, 3], bytes).Text("columns").Tensor("FloatStorage", [3, 2], bytes, [1, 3]);
        file.Text("bytes").Tensor("ByteStorage", [2], [7, 8]).Text("wide").Tensor("LongStorage", [1], BitConverter.GetBytes(-5L)).Op('u').Op('.');
        using TorchArchive archive = TorchArchive.Open(Written(file.Zip()));
        Assert.That(archive.Tensors.Keys, Is.EqualTo((string[])["rows", "columns", "bytes", "wide"]));
        using var scope = NewDisposeScope();
        Assert.That(archive.Read("rows")!.data<float>(), Is.EqualTo((float[])[0, 1, 2, 3, 4, 5]));
        Assert.That(archive.Read("columns")!.contiguous().data<float>(), Is.EqualTo((float[])[0, 3, 1, 4, 2, 5]));
        Assert.That(archive.Read("bytes")!.data<byte>(), Is.EqualTo((byte[])[7, 8]));
        Assert.That(archive.Read("wide")!.data<long>(), Is.EqualTo((long[])[-5]));
        Assert.That(archive.Read("none"), Is.Null);
    }

    [Test]
    public void The_dictionary_may_be_a_member_of_another()
    {
        var file = new TorchFile();
        file.Op('}').Text("epoch").Number(3).Op('s').Text("state_dict").Op('}').Text("a").Tensor("FloatStorage", [1], TorchFile.BytesOf([2])).Op('s').Op('s').Op('.');
        using TorchArchive archive = TorchArchive.Open(Written(file.Zip()));
        Assert.That(archive.Tensors.Keys, Is.EqualTo((string[])["a"]));
    }

    private static IEnumerable<TestCaseData> Hostile()
    {
        static TestCaseData Case(string name, string named, Func<TorchFile, TorchFile> write, string order = "little") =>
            new TestCaseData(write(new TorchFile()).Zip(order), named).SetName("{m}(" + name + ")");
        yield return Case("a system call", "posix.system", f => f.Global("posix", "system").Text("touch here").Op(0x85).Op('R').Op('.'));
        yield return Case("a built-in", "builtins.eval", f => f.Global("builtins", "eval").Text("1").Op(0x85).Op('R').Op('.'));
        yield return Case("a name from the stack", "os.system", f => f.Text("os").Text("system").Op(0x93).Text("ls").Op(0x85).Op('R').Op('.'));
        yield return Case("another function of torch", "torch.load", f => f.Global("torch", "load").Op('.'));
        yield return Case("an instance", "opcode 0x69", f => f.Op('(').Op('i', Encoding.ASCII.GetBytes("os\nsystem\n")).Op('.'));
        yield return Case("an object made by its class", "opcode 0x81", f => f.Global("collections", "OrderedDict").Op(')').Op(0x81).Op('.'));
        yield return Case("an extension code", "opcode 0x82", f => f.Op(0x82, 1).Op('.'));
        yield return Case("a call of a tensor", "calls", f => f.Tensor("FloatStorage", [1], new byte[4]).Op(')').Op('R').Op('.'));
        yield return Case("attributes of a list", "attributes", f => f.Op(']').Op('}').Op('b').Op('.'));
        yield return Case("an ordered dictionary of arguments", "another way", f => f.Global("collections", "OrderedDict").Op('}').Op(0x85).Op('R').Op('.'));
        yield return Case("another persistent object", "no storage", f => f.Text("x").Op('Q').Op('.'));
        yield return Case("a storage of another kind", "torch._C.Storage", f => f.Global("torch", "_C.Storage").Op('.'));
        yield return Case("no dictionary", "no dictionary", f => f.Op(']').Op('.'));
        yield return Case("nothing", "no tensor", f => f.Op('}').Op('.'));
        yield return Case("an end within a list", "ends", f => f.Op('(').Op('.'));
        yield return Case("no end", "ends early", f => f.Op('}'));
        yield return Case("an operation on nothing", "nothing", f => f.Op('t'));
        yield return Case("a long number", "bytes", f => f.Op(0x8a, [200, .. new byte[200]]).Op('.'));
        yield return Case("a long text", "ends early", f => f.Op('X', 0xff, 0xff, 0xff, 0x7f));
        yield return Case("the other order of bytes", "big", f => f.Op('}').Text("a").Tensor("FloatStorage", [1], new byte[4]).Op('s').Op('.'), "big");
    }

    [TestCaseSource(nameof(Hostile))]
    public void What_is_more_than_tensors_is_refused_and_nothing_is_done(byte[] bytes, string named)
    {
        Assert.That(() => TorchArchive.Open(Written(bytes)), Refused.With("a.bin", named));
        Assert.That(Directory.GetFileSystemEntries(folder.Path), Has.Length.EqualTo(1));
    }

    [TestCase(1, 100, 3, TestName = "{m}(fewer bytes than numbers)")]
    [TestCase(100, 1, 400, TestName = "{m}(a shape beyond its storage)")]
    [TestCase(1_000_000_000, 1_000_000_000, 4, TestName = "{m}(a thousand million numbers)")]
    public void Numbers_that_are_not_there_are_not_made_up(long shape, long count, int bytes)
    {
        var file = new TorchFile();
        file.Op('}').Text("a").Tensor("FloatStorage", [shape], new byte[bytes], count: count).Op('s').Op('.');
        using TorchArchive archive = TorchArchive.Open(Written(file.Zip()));
        Assert.That(() => archive.Read("a"), Refused.With("a.bin: a"));
    }

    [Test]
    public void A_number_that_is_repeated_without_end_is_too_much_memory()
    {
        var file = new TorchFile();
        file.Op('}').Text("a").Tensor("FloatStorage", [1_000_000, 1000], new byte[4], [0, 0], 1).Op('s').Op('.');
        using TorchArchive archive = TorchArchive.Open(Written(file.Zip()));
        Assert.That(() => archive.Read("a"), Refused.With("MiB"));
    }

    [Test]
    public void The_format_before_1_6_is_named()
    {
        Assert.That(() => TorchArchive.Open(Written([0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc])), Refused.With("a.bin", "1.6"));
        Assert.That(() => TorchArchive.Open(Written([1, 2, 3])), Refused.With("a.bin"));
        Assert.That(() => TorchArchive.Open(folder["none.bin"]), Refused.With("none.bin"));
    }

    [Test]
    public void What_torch_itself_saves_is_read()
    {
        string path = folder["torch.bin"];
        Assert.That(Python.Run("torch", "import collections, sys, torch; torch.manual_seed(1)\n"
            + "m = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2)).half()\n"
            + "d = m.state_dict(); d['turned'] = torch.arange(6.).reshape(2, 3).t(); d['part'] = torch.arange(10)[3:7:2]; d['flag'] = torch.tensor([True, False])\n"
            + "torch.save(d, sys.argv[1])", path).ExitCode, Is.Zero);
        using TorchArchive archive = TorchArchive.Open(path);
        Assert.That(archive.Tensors.Keys, Is.EquivalentTo((string[])["0.weight", "0.bias", "1.weight", "1.bias", "turned", "part", "flag"]));
        using var scope = NewDisposeScope();
        Assert.That(archive.Read("0.weight")!.dtype, Is.EqualTo(ScalarType.Float16));
        Assert.That(archive.Read("turned")!.contiguous().data<float>(), Is.EqualTo((float[])[0, 3, 1, 4, 2, 5]));
        Assert.That(archive.Read("part")!.data<long>(), Is.EqualTo((long[])[3, 5]));
        Assert.That(archive.Read("flag")!.data<bool>(), Is.EqualTo((bool[])[true, false]));
    }

    private string Written(byte[] bytes)
    {
        string path = folder["a.bin"];
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
