using System.Text;
using ChemScale.Engine;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Preparation;

public class BadInputTests
{
    [Test]
    public void An_empty_file_is_refused()
    {
        using TemporaryFolder folder = new();
        Refuses(folder, Corpus.Write(folder["corpus.smi"], []), "corpus.smi: is empty");
        File.WriteAllBytes(folder["corpus.smi.gz"], []);
        Refuses(folder, folder["corpus.smi.gz"], "corpus.smi.gz: is empty");
        Refuses(folder, Corpus.Write(folder["nothing.smi.gz"], [""]), "no molecules");
        Refuses(folder, Corpus.Write(folder["blank.smi"], ["", "  ", ""]), "no molecules");
        Refuses(folder, Corpus.Write(folder["header.csv"], ["selfies"]), "no molecules");
    }

    [Test]
    public void A_missing_file_or_one_of_another_kind_is_refused_before_anything_is_read()
    {
        using TemporaryFolder folder = new();
        string good = Corpus.Write(folder["corpus.smi"], Corpus.Molecules(10));
        (string, string)[] wrong = [("gone.smi", "cannot be read"), ("molecules.sdf.gz", "extension '.sdf'"), ("corpus", "extension ''")];
        foreach ((string name, string message) in wrong)
        {
            Assert.That(() => MoleculePreparation.Run(Corpus.Options(folder, good, folder[name])), Refused.With(message));
        }
        Assert.That(Directory.Exists(folder["store"]), Is.False);
    }

    [Test]
    public void A_binary_file_is_refused_by_line()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["corpus.smi"], [.. Encoding.ASCII.GetBytes("[C]\n[N]\n"), 1, 2, 0, 3]);
        Refuses(folder, folder["corpus.smi"], "corpus.smi:3: a NUL byte");
    }

    [Test]
    public void A_line_of_a_megabyte_is_refused_and_the_rest_is_used(
        [Values(1_000_000, 65_535, 65_536, 65_537, 131_072)] int length,
        [Values(0, 1, 50)] int before)
    {
        using TemporaryFolder folder = new();
        string[] molecules = Corpus.Molecules(100);
        string file = Corpus.Write(folder["corpus.smi"], [.. molecules[..before], new string('C', length), .. molecules[before..]]);
        PreparationReport report = MoleculePreparation.Run(Corpus.Options(folder, file));
        Assert.That((report.Lines, report.Taken, report.RefusedCount), Is.EqualTo((101L, 100L, 1L)));
        Assert.That(report.Refused[0].Examples[0], Does.StartWith($"{file}:{before + 1}: CCC"));
        Expect.Below(report.Refused[0].Examples[0].Length, folder.Path.Length + 120);
    }

    [Test]
    public void A_long_line_at_the_end_without_a_line_feed_is_refused_too()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["corpus.smi"], "[C]\n" + new string('C', 300_000));
        PreparationReport report = MoleculePreparation.Run(Corpus.Options(folder, folder["corpus.smi"]));
        Assert.That((report.Lines, report.Taken, report.RefusedCount), Is.EqualTo((2L, 1L, 1L)));
    }

    [TestCase(0.1)]
    [TestCase(0.5)]
    [TestCase(0.9)]
    [TestCase(0.9999)]
    public void A_truncated_gz_is_refused_with_the_lines_before_and_the_old_store_stays(double part)
    {
        using TemporaryFolder folder = new();
        string[] molecules = Corpus.Molecules(50_000);
        MoleculePreparation.Run(Corpus.Options(folder, Corpus.Write(folder["old.smi"], molecules[..10])));
        byte[] whole = File.ReadAllBytes(Corpus.Write(folder["corpus.smi.gz"], molecules));
        File.WriteAllBytes(folder["corpus.smi.gz"], whole[..(int)(whole.Length * part)]);
        InputException refused = Assert.Throws<InputException>(() =>
            MoleculePreparation.Run(Corpus.Options(folder, folder["corpus.smi.gz"]) with { Overwrite = true }))!;
        Assert.That(
            refused.Message,
            Does.Contain("corpus.smi.gz: compressed data end early").And.Contain("what the output held is unchanged"));
        int lines = int.Parse(refused.Message.Split("after ")[1].Split(' ')[0]);
        Expect.Close(lines, 50_000 * part, absolute: 50_000 * 0.08);
        Assert.That(Corpus.Texts(folder["store"]), Is.EquivalentTo(molecules[..10]));
    }

    [Test]
    public void A_limit_met_before_the_damage_is_all_that_counts()
    {
        using TemporaryFolder folder = new();
        byte[] whole = File.ReadAllBytes(Corpus.Write(folder["corpus.smi.gz"], Corpus.Molecules(100_000)));
        File.WriteAllBytes(folder["corpus.smi.gz"], whole[..^20]);
        Assert.That(MoleculePreparation.Run(Corpus.Options(folder, folder["corpus.smi.gz"]) with { Limit = 100 }).Taken, Is.EqualTo(100));
    }

    [Test]
    public void A_corpus_of_refused_lines_only_says_the_first_reason()
    {
        using TemporaryFolder folder = new();
        Refuses(folder, Corpus.Write(folder["corpus.smi"], ["C1CC", "CC"]), "2 lines refused");
        Assert.That(Directory.Exists(folder["store"]), Is.False);
    }

    [Test]
    public void A_store_that_is_there_is_refused_before_anything_is_read()
    {
        using TemporaryFolder folder = new();
        string file = Corpus.Write(folder["corpus.smi"], Corpus.Molecules(10));
        MoleculePreparation.Run(Corpus.Options(folder, file));
        Refuses(folder, file, "holds a complete token store");
        Assert.That(TokenStore.Exists(folder["store"]));
    }

    [Test]
    public void An_output_that_cannot_be_written_is_refused()
    {
        using TemporaryFolder folder = new();
        string file = Corpus.Write(folder["corpus.smi"], Corpus.Molecules(10));
        Assert.That(() => MoleculePreparation.Run(Corpus.Options(folder, file) with { Output = folder["corpus.smi/store"] }),
            Refused.With("cannot be written"));
    }

    [Test]
    public void Options_that_make_no_sense_are_refused()
    {
        using TemporaryFolder folder = new();
        PreparationOptions good = Corpus.Options(folder, Corpus.Write(folder["corpus.smi"], Corpus.Molecules(10)));
        PreparationOptions[] wrong =
        [
            good with { Files = [] },
            good with { Limit = 0 },
            good with { Threads = 0 },
            good with { Threads = 1_000_000 },
            good with { MaximumTokens = 2 },
            good with { MinimumCount = 0 },
            good with { ValidationFraction = 1 },
            good with { TokenizerFile = folder["corpus.smi"] },
        ];
        foreach (PreparationOptions options in wrong) Assert.That(() => MoleculePreparation.Run(options), Throws.TypeOf<InputException>());
        Assert.That(Directory.Exists(folder["store"]), Is.False);
    }

    private static void Refuses(TemporaryFolder folder, string file, string message) =>
        Assert.That(() => MoleculePreparation.Run(Corpus.Options(folder, file)), Refused.With(message));
}
