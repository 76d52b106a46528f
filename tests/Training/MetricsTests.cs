using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using ChemScale.Engine.Training.Experiments;
using NUnit.Framework;

namespace ChemScale.Tests.Training;

public class MetricsTests
{
    [Test]
    public void Rows_follow_Lightning()
    {
        using var folder = new TemporaryFolder();
        // 3 batches an epoch, validation after steps 2, 3, 5, 6.
        var training = new TrainingSpec { Epochs = 2, ValidationInterval = Interval.Epochs(0.5) };
        ToyRuns.Run(folder.Path, training, () => new RegressionTask(samples: 20));
        string[] lines = File.ReadAllLines(folder["metrics.csv"]);
        Assert.That(lines[0], Is.EqualTo("epoch,step,train_loss_step,train_loss_epoch,val_loss"));
        string[] shapes =
            [.. lines.Skip(1).Select(l => string.Join(',', l.Split(',').Select((cell, i) => i < 2 ? cell : cell.Length > 0 ? "x" : "")))];
        Assert.That(shapes, Is.EqualTo(new[]
        {
            "0,0,x,,", "0,1,x,,", "0,1,,,x", "0,2,x,,", "0,2,,,x", "0,2,,x,",
            "1,3,x,,", "1,4,x,,", "1,4,,,x", "1,5,x,,", "1,5,,,x", "1,5,,x,",
        }));
        double[] steps = [.. lines.Skip(1).Select(l => l.Split(',')[2]).Where(c => c.Length > 0).Select(double.Parse)];
        double[] epochs = [.. lines.Skip(1).Select(l => l.Split(',')[3]).Where(c => c.Length > 0).Select(double.Parse)];
        // 8, 8 and 4 frames: the mean is over frames.
        Expect.Close(epochs[0], (8 * steps[0] + 8 * steps[1] + 4 * steps[2]) / 20, absolute: 1e-12);
        Expect.Close(epochs[1], (8 * steps[3] + 8 * steps[4] + 4 * steps[5]) / 20, absolute: 1e-12);
    }

    [Test]
    public void Json_lines_hold_every_measurement()
    {
        using var folder = new TemporaryFolder();
        ToyRuns.Run(folder.Path, ToyRuns.EverythingOn, () => new RegressionTask());
        JsonNode[] lines = [.. File.ReadLines(folder["metrics.jsonl"]).Select(l => JsonNode.Parse(l)!)];
        JsonNode step = lines.Where(l => (string?)l["kind"] == "step").ElementAt(1);
        Assert.That((long)step["frames"]!, Is.EqualTo(8 + 4));
        Assert.That((long)step["frames_seen"]!, Is.EqualTo(44));
        Expect.Close((double)step["rows"]!, (8.0 * 8 + 4 * 4) / 12, absolute: 1e-12);
        foreach (string key in (string[])["train_loss", "learning_rate", "gradient_norm", "frames_per_second", "seconds"])
            Expect.Above((double)step[key]!, 0, key);
        JsonNode validation = lines.First(l => (string?)l["kind"] == "validation");
        Assert.That((double)validation["val_rows"]!, Is.EqualTo(44));
        Assert.That(lines.Count(l => (string?)l["kind"] == "epoch"), Is.EqualTo(6));
    }

    [Test]
    public void TensorBoard_events_are_framed_and_hold_the_scalars()
    {
        using var folder = new TemporaryFolder();
        ToyRuns.Run(folder.Path, new TrainingSpec { Epochs = 1 }, () => new RegressionTask(samples: 20));
        string file = Directory.GetFiles(folder.Path, "events.out.tfevents.*").Single();
        List<(long Step, string Tag, float Value)> scalars = [];
        byte[] bytes = File.ReadAllBytes(file);
        int records = 0;
        for (int at = 0; at < bytes.Length; records++)
        {
            int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));
            Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 8)), Is.EqualTo(MaskedCrc(bytes.AsSpan(at, 8))));
            ReadOnlySpan<byte> data = bytes.AsSpan(at + 12, length);
            Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 12 + length)), Is.EqualTo(MaskedCrc(data)));
            if (records == 0) Assert.That(Encoding.UTF8.GetString(data), Does.EndWith("brain.Event:2"));
            else scalars.Add(Decode(data));
            at += length + 16;
        }
        double[] losses =
            [.. File.ReadLines(folder["metrics.csv"]).Skip(1).Select(l => l.Split(',')[2]).Where(c => c.Length > 0).Select(double.Parse)];
        Assert.That(scalars.Where(s => s.Tag == "train/train_loss").Select(s => (s.Step, s.Value)),
            Is.EqualTo(losses.Select((l, i) => ((long)i, (float)l))));
        string[] others = ["train/learning_rate", "validation/val_loss", "epoch/train_loss"];
        Assert.That(scalars.Select(s => s.Tag), Is.SupersetOf(others));
    }

    [Test]
    public void The_checksum_is_the_published_one()
    {
        // RFC 3720, B.4: CRC-32C of 32 zero bytes is 0x8a9136aa; of "123456789", 0xe3069283.
        Assert.That(Crc(new byte[32]), Is.EqualTo(0x8a9136aau));
        Assert.That(Crc("123456789"u8), Is.EqualTo(0xe3069283u));
    }

    /// <summary>Only what is written: 1 double, 2 varint, 5 { 1 { 1 string, 2 float } }.</summary>
    private static (long Step, string Tag, float Value) Decode(ReadOnlySpan<byte> message)
    {
        Assert.That(message[0], Is.EqualTo(0x09));
        int at = 9;
        Assert.That(message[at++], Is.EqualTo(0x10));
        long step = Varint(message, ref at);
        Assert.That(message[at++], Is.EqualTo(0x2a));
        Assert.That(Varint(message, ref at), Is.EqualTo(message.Length - at));
        Assert.That(message[at++], Is.EqualTo(0x0a));
        Assert.That(Varint(message, ref at), Is.EqualTo(message.Length - at));
        Assert.That(message[at++], Is.EqualTo(0x0a));
        int length = (int)Varint(message, ref at);
        string tag = Encoding.UTF8.GetString(message.Slice(at, length));
        at += length;
        Assert.That(message[at++], Is.EqualTo(0x15));
        Assert.That(message.Length - at, Is.EqualTo(4));
        return (step, tag, BinaryPrimitives.ReadSingleLittleEndian(message[at..]));
    }

    private static long Varint(ReadOnlySpan<byte> data, ref int at)
    {
        long value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte b = data[at++];
            value |= (long)(b & 0x7f) << shift;
            if (b < 0x80) return value;
        }
    }

    private static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        uint crc = Crc(data);
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
    }

    /// <summary>Bit by bit, from the reflected polynomial.</summary>
    private static uint Crc(ReadOnlySpan<byte> data)
    {
        uint crc = 0xffffffff;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int k = 0; k < 8; k++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
        }
        return ~crc;
    }
}
