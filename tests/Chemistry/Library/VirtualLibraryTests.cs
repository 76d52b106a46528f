using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Library;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Chemistry.Smiles;
using NUnit.Framework;

namespace ChemScale.Tests.Chemistry.Library;

public class VirtualLibraryTests
{
    private static readonly VirtualLibrary Library = new();

    [Test]
    public void Holds_a_million_million_molecules_and_says_that_they_are_synthetic()
    {
        Assert.That(Library.Count, Is.EqualTo(1_000_000_000_000));
        Assert.That(Library.Description, Does.Contain("synthetic"));
        Expect.Between(Library.NatsPerMolecule, Math.Log(Library.Count), 31);
    }

    [TestCase(0, "c1(C)c2nc(C)[nH]c(=O)c2ccc1CNC1C(OCCC)COCC1C")]
    [TestCase(1, "c1(N)c(C)noc1C(=O)c1cc(Cl)sc1CNCC1CC1")]
    [TestCase(123_456_789, "c1c2c(C=Cc3ccn[nH]3)c(Br)[nH]c2ccc1-n1ccnc1C")]
    [TestCase(999_999_999_999, "c1(NCC#N)nc(C)sc1S(=O)(=O)c1ccc(NC(=O)CC)cc1")]
    public void Seed_0_gives_the_same_molecules_for_ever(long index, string expected) =>
        Assert.That(Library[index], Is.EqualTo(expected));

    [Test]
    public void A_hundred_thousand_molecules_are_distinct_and_within_the_stated_length()
    {
        HashSet<string> seen = [];
        List<string> wrong = [];
        for (long i = 0; i < 100_000; i++)
        {
            string smiles = Library[i];
            if (!seen.Add(smiles) || smiles.Length > VirtualLibrary.LongestSmiles) wrong.Add(smiles);
        }
        Assert.That(wrong, Is.Empty);
        Assert.That(seen, Has.Count.EqualTo(100_000));
    }

    [Test]
    public void Atoms_bonds_brackets_and_rings_are_sound()
    {
        List<string> wrong = [];
        for (long i = 0; i < 20_000; i++)
        {
            string smiles = Library[i * 40_000_003];
            SmilesShape shape = new(smiles);
            string[] faults = [.. shape.Faults()];
            if (faults.Length > 0 || shape.Atoms is < 10 or > 27 || shape.Rings is < 1 or > 8)
                wrong.Add($"{smiles}: {shape.Atoms} atoms, {shape.Rings} rings {string.Join(", ", faults)}");
        }
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Any_run_of_indices_has_the_same_mean_size()
    {
        double MeanAtoms(long from) => Enumerable.Range(0, 4000).Average(i => new SmilesShape(Library[from + i]).Atoms);
        Expect.Close(MeanAtoms(0), 23.6, absolute: 0.2);
        Expect.Close(MeanAtoms(500_000_000_000), 23.6, absolute: 0.2);
        Expect.Close(MeanAtoms(Library.Count - 4000), 23.6, absolute: 0.2);
    }

    [Test]
    public void Another_seed_gives_another_order()
    {
        VirtualLibrary other = new(1);
        Assert.That(other.Count, Is.EqualTo(Library.Count));
        Assert.That(Enumerable.Range(0, 100).Count(i => other[i] == Library[i]), Is.Zero);
    }

    [Test]
    public void Threads_read_what_one_thread_reads()
    {
        string[] alone = [.. Enumerable.Range(0, 5000).Select(i => Library[i])];
        string[] together = new string[alone.Length];
        Parallel.For(0, together.Length, i => together[i] = Library[i]);
        Assert.That(together, Is.EqualTo(alone));
    }

    [Test]
    public void Writing_allocates_nothing()
    {
        char[] smiles = new char[VirtualLibrary.LongestSmiles];
        Library.Write(0, smiles);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (long i = 0; i < 1000; i++) Library.Write(i, smiles);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void Indices_outside_and_short_spans_are_refused()
    {
        Assert.That(() => Library[-1], Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => Library[Library.Count], Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => Library.Write(0, new char[VirtualLibrary.LongestSmiles - 1]), Throws.ArgumentException);
    }

    [Test]
    public void The_smiles_reader_takes_all_and_finds_a_kekule_structure()
    {
        SmilesReader reader = new();
        Molecule molecule = new();
        for (long i = 0; i < 20_000; i++)
        {
            string smiles = Library[i];
            Assert.That(reader.TryRead(smiles, molecule), $"{smiles}: {reader.Reason}");
            Assert.That(molecule.AtomCount, Is.EqualTo(new SmilesShape(smiles).Atoms), smiles);
        }
    }

    [TestCase(SelfiesGrammar.V1)]
    [TestCase(SelfiesGrammar.V2)]
    public void Selfies_encodes_all_and_decodes_to_the_same_atoms_and_rings(SelfiesGrammar grammar)
    {
        SelfiesCodec codec = SelfiesCodec.Create(grammar);
        for (long i = 0; i < 20_000; i++)
        {
            string smiles = Library[i];
            Assert.That(codec.TryEncode(smiles, out ReadOnlySpan<char> selfies), $"{smiles}: {codec.Reason}");
            Assert.That(codec.TryDecode(selfies.ToString(), out ReadOnlySpan<char> decoded), $"{smiles}: {codec.Reason}");
            SmilesShape before = new(smiles);
            SmilesShape after = new(decoded.ToString());
            Assert.That((after.Atoms, after.Rings), Is.EqualTo((before.Atoms, before.Rings)), smiles);
        }
    }
}
