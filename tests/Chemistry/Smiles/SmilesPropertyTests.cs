using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Chemistry.Smiles;
using NUnit.Framework;

namespace ChemScale.Tests.Chemistry.Smiles;

public class SmilesPropertyTests
{
    private readonly SmilesReader reader = new();
    private readonly SmilesWriter writer = new();
    private readonly SmilesFilter filter = new();
    private readonly Molecule molecule = new();

    [TestCaseSource(nameof(Files))]
    public void Sampled_lines_are_read_and_written_stably(string path) => CheckLines(path, 29);

    [TestCaseSource(nameof(Files))]
    [Category("Slow")]
    public void All_lines_are_read_and_written_stably(string path) => CheckLines(path, 1);

    [Test]
    public void No_text_makes_them_throw()
    {
        const string Alphabet = "CNOcnos()[]=#%$:-+./\\@123456789H*BrClFSi ";
        var random = new Random(7);
        SelfiesCodec codec = SelfiesCodec.Create(SelfiesGrammar.V2);
        char[] text = new char[40];
        int read = 0;
        for (int i = 0; i < 30_000; i++)
        {
            int length = random.Next(1, text.Length);
            for (int k = 0; k < length; k++) text[k] = Alphabet[random.Next(k % 2 == 0 ? 7 : Alphabet.Length)];
            ReadOnlySpan<char> smiles = text.AsSpan(0, length);
            codec.TryEncode(smiles, out _);
            codec.TryDecode(smiles, out _);
            filter.TryClean(smiles, out _);
            if (!reader.TryRead(smiles, molecule))
            {
                if (reader.Reason.Length == 0 || reader.Position < 0 || reader.Position > length) Assert.Fail(smiles.ToString());
                continue;
            }
            read++;
            CheckStable(smiles);
        }
        Expect.Above(read, 300);
    }

    [Test]
    public void Steady_state_allocates_nothing()
    {
        const string Smiles = "CC1=C(C(=O)Nc2ccc(/C=C/[N+](=O)[O-])cc2[C@@H]2CC2)SC%10=NC=CN%101.[13CH4]";
        Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Run();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Run()
        {
            reader.TryRead(Smiles, molecule);
            writer.Write(molecule);
            filter.TryClean(Smiles, out _);
            reader.TryRead("C1CC(", molecule);
            reader.TryRead("C1CC", molecule);
        }
    }

    private static IEnumerable<TestCaseData> Files() => ReferenceData.Cases("smiles", "*.smi.gz");

    private void CheckLines(string path, int every)
    {
        int number = 0;
        int read = 0;
        foreach (string line in DataLines.Of(path))
        {
            if (number++ % every != 0) continue;
            if (!reader.TryRead(line, molecule))
            {
                if (reader.Reason.Length == 0) Assert.Fail($"{line}: refused without a reason");
                continue;
            }
            read++;
            CheckStable(line);
            if (!filter.TryClean(line, out ReadOnlySpan<char> cleaned)) Assert.Fail($"{line}: {filter.Reason}");
            if (cleaned.IndexOfAny("@/\\.") >= 0) Assert.Fail($"{line}: cleaned to {cleaned}");
        }
        Expect.Above(read, 0.99 * number / every);
    }

    // The molecule just read, written, read again: same atoms and bonds, same text.
    private void CheckStable(ReadOnlySpan<char> smiles)
    {
        (int atoms, int bonds, int hydrogens) = Count();
        string written = writer.Write(molecule).ToString();
        if (!reader.TryRead(written, molecule)) Assert.Fail($"{smiles} written as {written}: {reader.Reason}");
        if (Count() != (atoms, bonds, hydrogens)) Assert.Fail($"{smiles} written as {written}: another molecule");
        string again = writer.Write(molecule).ToString();
        if (again != written) Assert.Fail($"{smiles} written as {written}, then as {again}");
    }

    private (int Atoms, int Bonds, int Hydrogens) Count()
    {
        int hydrogens = 0;
        foreach (Atom atom in molecule.Atoms) hydrogens += atom.Hydrogens;
        return (molecule.AtomCount, molecule.BondCount, hydrogens);
    }
}
