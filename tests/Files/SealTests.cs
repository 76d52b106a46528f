using System.Text;
using System.Text.Json;
using ChemScale.Engine;
using ChemScale.Engine.Files;
using ChemScale.Engine.Training.Experiments;
using NUnit.Framework;

namespace ChemScale.Tests.Files;

public class SealTests
{
    private sealed record Facts(long Count, string Name, double? Loss);

    private static readonly Facts Written = new(12, "seal \"seal\": ", 0.5);

    [Test]
    public void Whatever_byte_of_a_sealed_JSON_changes_into_whatever_it_is_refused()
    {
        using var folder = new TemporaryFolder();
        string path = folder["facts.json"];
        byte[] bytes = Seal.Json(JsonSerializer.SerializeToUtf8Bytes(Written));
        File.WriteAllBytes(path, bytes);
        Assert.That(Read(path), Is.EqualTo(Written));
        EachChange(bytes, () =>
        {
            File.WriteAllBytes(path, bytes);
            return Refuses(() => Read(path));
        });
    }

    [Test]
    public void Whatever_byte_of_a_sealed_YAML_changes_into_whatever_it_is_refused()
    {
        byte[] bytes = Seal.Yaml("seed: 42\nmodel:\n  family: chemgpt\n");
        Assert.That(Seal.OpenYaml(bytes, "a.yaml"), Is.EqualTo("seed: 42\nmodel:\n  family: chemgpt\n"));
        EachChange(bytes, () => Refuses(() => Experiment.Parse(Seal.OpenYaml(bytes, "a.yaml"), "a.yaml")));
    }

    [Test]
    public void A_file_without_a_seal_is_of_an_earlier_version_and_read_as_strictly()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["facts.json"], """{"Count":12,"Name":"a","Loss":null}""");
        Assert.That(Read(folder["facts.json"]), Is.EqualTo(new Facts(12, "a", null)));
        foreach (string wrong in (string[])["""{"Count":12,"Name":"a","Loss":null,"sfal":"0"}""",
            """{"Count":12,"Loss":null}""", """{"Count":1,"Count":2,"Name":"a","Loss":null}""",
            """{"Count":12,"Name":null,"Loss":null}""", "null", ""])
        {
            File.WriteAllText(folder["facts.json"], wrong);
            Assert.That(() => Read(folder["facts.json"]), Throws.TypeOf<InputException>().With.Message.Contains("facts.json"), wrong);
        }
    }

    [Test]
    public void A_list_of_checksums_says_the_same_or_something_else_never_half()
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = Encoding.ASCII.GetBytes(FileChecksum.Line(FileChecksum.Of("a"u8), "a.txt") + FileChecksum.Line(FileChecksum.Of("b"u8), "b.txt"));
        File.WriteAllBytes(folder["sums"], bytes);
        IReadOnlyDictionary<string, string> whole = FileChecksum.ReadList(folder["sums"]);
        Assert.That(whole["b.txt"], Is.EqualTo(FileChecksum.Of("b"u8)));
        EachChange(bytes, () =>
        {
            File.WriteAllBytes(folder["sums"], bytes);
            return Refuses(() =>
            {
                if (!FileChecksum.ReadList(folder["sums"]).SequenceEqual(whole)) throw new InputException("sums", "others");
            });
        });
    }

    private static Facts Read(string path) => Seal.ReadJson<Facts>(path, JsonSerializerOptions.Default, "facts");

    /// <summary>Every byte into a few others: neighbours, flipped bits, white space.</summary>
    private static void EachChange(byte[] bytes, Func<bool> refused)
    {
        for (int at = 0; at < bytes.Length; at++)
        {
            byte before = bytes[at];
            foreach (byte value in (
                byte[])[(byte)(before ^ 1), (byte)(before ^ 0x20), (byte)(before ^ 0x80), (byte)(before + 1), (byte)' ', (byte)'\n', (byte)'\t', (byte)'\r', (byte)'#', (byte)'"'])
            {
                if (value == before) continue;
                bytes[at] = value;
                if (!refused()) Assert.Fail($"byte {at} from {(char)before} to {(char)value}");
            }
            bytes[at] = before;
        }
    }

    private static bool Refuses(Action read)
    {
        try
        {
            read();
            return false;
        }
        catch (InputException)
        {
            return true;
        }
    }
}
