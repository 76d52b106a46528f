using System.Text;
using ChemScale.Engine.Tokens.Preparation;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Preparation;

public class CompleteGzipStreamTests
{
    private static readonly byte[] Text =
        Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 300).Select(i => $"[C][N]{i * 7919 % 1000}\n")));

    [Test]
    public void Whole_data_come_out_whole_from_any_number_of_members()
    {
        byte[] one = Corpus.Gzip(Text);
        Assert.That(Unpacked(one), Is.EqualTo(Text));
        Assert.That(Unpacked([.. one, .. Corpus.Gzip([10]), .. one]), Is.EqualTo((byte[])[.. Text, 10, .. Text]));
    }

    [Test]
    public void Data_cut_anywhere_are_refused()
    {
        byte[] packed = Corpus.Gzip(Text);
        for (int length = 3; length < packed.Length; length++)
            Assert.That(() => Unpacked(packed[..length]), Throws.TypeOf<InvalidDataException>(), $"{length} of {packed.Length} bytes");
    }

    [Test]
    public void A_flipped_bit_is_refused()
    {
        byte[] packed = Corpus.Gzip(Text);
        for (int at = 20; at < packed.Length; at += 7)
        {
            byte[] flipped = [.. packed];
            flipped[at] ^= 8;
            Assert.That(() => Unpacked(flipped), Throws.TypeOf<InvalidDataException>(), $"byte {at}");
        }
    }

    private static byte[] Unpacked(byte[] packed)
    {
        using MemoryStream all = new();
        using CompleteGzipStream stream = new(new MemoryStream(packed));
        byte[] buffer = new byte[100];
        for (int read; (read = stream.Read(buffer)) > 0;) all.Write(buffer, 0, read);
        return all.ToArray();
    }
}
