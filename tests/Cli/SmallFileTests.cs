using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Store;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>
/// Small files that other tools got wrong, and what the command makes of them: of our own making, and those of the data folder where it is
/// there.
/// </summary>
public sealed class SmallFileTests
{
    private const string Columns = "Properties=species:S:1:pos:R:3:forces:R:3", Pair = "O 0 0 0 0 0 0.01\nC 0 0 1.15 0 0 -0.01\n";

    // File, its text, the command's options behind it; exit code, what is said. F: the file, D: a new folder.
    private static IEnumerable<TestCaseData> Own()
    {
        yield return Case("spaced.txt", "[C] [C] [O]\n[N] [C]\n", "prepare --molecules F --kind selfies --validation 0 --out D", 0, "2 molecules");
        yield return Case("multiline.csv", "smiles,note\nCCN,\"a\nCCO,b\"\n", "prepare --molecules F --validation 0 --out D", 0, "1 molecules");
        yield return Case("returns.smi", "CCO\rCCN\rCCC", "prepare --molecules F --validation 0 --out D", 0, "3 molecules");
        yield return Case("comments.smi", "# list\nCCO a\nCCN b\n", "prepare --molecules F --validation 0 --out D", 0, "2 molecules", "0 refused");
        yield return Case("declared.xyz", $"2\n{Columns} energy=-1 energy-unit=hartree\n{Pair}", "prepare --frames F --validation 0 --out D", 0, "energy -13.6057 eV/atom");
        yield return Case("furlong.xyz", $"2\n{Columns} energy=-1 energy-unit=furlong\n{Pair}", "prepare --frames F --validation 0 --out D", 2, "furlong", "F:2");
        yield return Case("infinite.xyz", $"2\n{Columns} energy=1e400\n{Pair}", "prepare --frames F --validation 0 --out D", 2, "F:1: an infinite label", "--missing");
        yield return Case("huge.xyz", "2147483647\nP\nH 0 0 0\n", "prepare --frames F --validation 0 --out D", 2, "F: ends behind 1 atoms");
        yield return Case("dense.xyz", $"1\nLattice=\"0.01 0 0 0 0.01 0 0 0 0.01\" {Columns} energy=-1\nCu 0 0 0 0 0 0\n", "prepare --frames F --validation 0 --out D", 2,
            "F:1: about", "neighbours an atom");
        yield return Case("constant.xyz",
            $"1\n{Columns} energy=-5 dft_energy=-1\nH 0 0 0 0 0 0\n2\n{Columns} energy=-5 dft_energy=-2\n{Pair}2\n{Columns} energy=-5 dft_energy=-3\n{Pair.Replace("1.15", "1.2")}",
            "prepare --frames F --validation 0 --out D", 0, "warning: energy has one value in 3 frames of 2 compositions; dft_energy is there too");
        yield return Case("strict.xyz", $"1\n{Columns} energy=-5\nH 0 0 0 0 0 0\n1\n{Columns} REF_energy=-2\nH 0 0 1 0 0 0\n",
            "prepare --frames F --strict --validation 0 --out D", 2, "--strict: energies stand under several names");
        yield return Case("limit.xyz", string.Concat(Enumerable.Range(1, 4).Select(i => $"1\n{Columns} energy=-13.6\nH 0 0 {i} 0 0 0\n")),
            "prepare --frames F --limit 2 --validation 0 --out D", 0, "2 frames read");
        yield return Case("deep.yaml", new string('[', 100_000), "train --experiment F --out D", 2, "F:1: more than 32 levels");
        yield return Case("empty-key.yaml", "model: {family: chemgpt}\n    : 0.05\n", "train --experiment F --out D", 2, "F:2");
        yield return Case("units.smi", "CCO\n", "prepare --molecules F --units eV --out D", 2, "--units: given without --frames");
        yield return Case("kind.xyz", $"2\n{Columns} energy=-1\n{Pair}", "prepare --frames F --keep-stereo --out D", 2, "--keep-stereo: given without --molecules");
        yield return Case("twice.xyz", $"2\n{Columns} energy=-1 energy=-2\n{Pair}", "prepare --frames F --validation 0 --out D", 2, "F:2: energy: '-1' and '-2'");
        yield return Case("far.xyz", $"2\n{Columns} energy=-1\n{Pair.Replace("1.15", "1e300")}", "prepare --frames F --validation 0 --out D", 2, "F:1: atom 1 at 1E+300 Angstrom");
        yield return Case("label.xyz", $"2\n{Columns} dft_energy=-1\n{Pair}", "prepare --frames F --validation 0 --out D", 2, "no energy", "dft_energy may be meant");
        yield return Case("named.xyz", $"2\n{Columns} energy=-1 dft_energy=-2\n{Pair}",
            "prepare --frames F --energy-key dft_energy --strict --validation 0 --out D", 0, "energy -1.0000 eV/atom");
        // Nine lines that stand for 8^9 values.
        yield return Case("laugh.yaml", "b0: &b0 [x, x]\n"
            + string.Concat(Enumerable.Range(1, 9).Select(i => $"b{i}: &b{i} [{string.Join(", ", Enumerable.Repeat($"*b{i - 1}", 8))}]\n")),
            "train --experiment F --out D", 2, "F:1: b0: unknown key");
        yield return Case("sizes.csv", "n,loss\n1e4,2\n1e5,1.9\n", "fit F --resource parameters --n n", 2, "2 distinct values of N, and 3 are needed");
        yield return Case("a\nb\u001b[2K.xyz", "1\nP\nQq 0 0 0\n", "prepare --frames F --out D", 2, "a\\nb\\u001b[2K.xyz:3: unknown element");
    }

    [TestCaseSource(nameof(Own))]
    public void A_small_file_is_what_it_says_or_refused(string name, string text, string command, int code, string[] said)
    {
        string file = Workplace.Write(name, text), store = Workplace.In("small-" + Guid.NewGuid().ToString("N"));
        Outcome outcome = CommandLine.Here([.. command.Split(' ').Select(word => word == "F" ? file : word == "D" ? store : word)]);
        Assert.That(outcome.ExitCode, Is.EqualTo(code), outcome.ToString());
        foreach (string part in said)
            Assert.That(outcome.Output + outcome.Error, Does.Contain(part.StartsWith("F:", StringComparison.Ordinal) ? name + part[1..] : part));
        if (code == 0) return;
        bool hidden = outcome.Error.TrimEnd('\n').Any(char.IsControl);
        Assert.That((outcome.ErrorLines.Length, hidden, Directory.Exists(store)), Is.EqualTo((1, false, false)), outcome.ToString());
        Expect.AtMost(outcome.ErrorLines[0].Length, 300);
    }

    private static IEnumerable<TestCaseData> Given()
    {
        yield return Data("sgdml_lat.npz", "prepare --frames F --validation 0 --out D", 0, "train");
        yield return Data("kliff.xyz", "prepare --frames F --validation 0 --out D", 0, "1 train");
        yield return Data("refvirial.xyz", "prepare --frames F --validation 0 --out D", 0, "stress: REF_virials");
        yield return Data("mixkeys.xyz", "prepare --frames F --validation 0 --out D", 0, "warning: energies stand under several names");
        yield return Data("inf.xyz", "prepare --frames F --validation 0 --out D", 2, "an infinite label");
        yield return Data("einf.npz", "prepare --frames F --units eV --validation 0 --out D", 2, "an infinite label");
        yield return Data("comp6.h5", "prepare --frames F --units eV --validation 0 --out D", 2, "filter that is not read here: lzf");
        yield return Data("dense_cell.extxyz", "prepare --frames F --validation 0 --out D", 2, "neighbours an atom");
        yield return Data("huge_count.extxyz", "prepare --frames F --validation 0 --out D", 2, "ends behind 1 atoms");
        yield return Data("outlier.extxyz", "prepare --frames F --validation 0 --out D", 0, "frame 4 (1E+09 eV)", "frame 5 (1E+06 eV/A)");
        yield return Data("outlier.extxyz", "prepare --frames F --strict --validation 0 --out D", 2, "--strict: ");
        yield return Data("units_in_header.xyz", "prepare --frames F --validation-frames 0 --out D", 0, "energy -13.6057 eV/atom", "forces 0.2969 eV/A rms");
        yield return Data("unknown_unit.xyz", "prepare --frames F --validation-frames 0 --out D", 2, "furlong");
        yield return Data("stress_unit.xyz", "prepare --frames F --validation-frames 0 --out D", 0, "1 train");
        yield return Data("constant_energy.xyz", "prepare --frames F --validation-frames 0 --out D", 0, "energy has one value in 6 frames of 4",
            "dft_energy (also written DFT_energy), gap_energy");
        yield return Data("deep.yaml", "train --experiment F --out D", 2, "more than 32 levels");
        yield return Data("spaced_selfies.txt", "prepare --molecules F --kind selfies --validation 0 --out D", 0, "3 molecules");
        yield return Data("multiline.csv", "prepare --molecules F --validation 0 --out D", 0, "1 molecules");
        yield return Data("nitro5.smi", "prepare --molecules F --grammar 1.0.4 --validation 0 --out D", 0, "1 molecules", "changed 1:");
        yield return Data("two_sizes.csv", "fit F --resource parameters --n n --loss loss", 2, "2 distinct values of N, and 3 are needed");
        yield return Data("rising.csv", "fit F --resource parameters --n n --d d --loss loss --by d --bootstrap 20", 0, "loss rises with N", "loss falls with N");
        yield return Data("est_same_small.csv", "estimate F", 0, "tse              -       -     3         -");
        yield return Data("est_small_glue.csv", "estimate F", 0, "  r0        5  1.5    1.5 ");
        yield return Data("negative_prediction.csv", "estimate F", 0, "0.051495", "0.58747");
        yield return Data("empty_key.yaml", "train --experiment F --out D", 2, "empty_key.yaml:2");
        yield return Data("copies.smi", "prepare --molecules F --validation 0 --out D", 0, "2 molecules (2 train", "3 duplicates");
        yield return Data("ring100.smi", "convert --from smiles --to selfies --grammar 2.1", 0, "[C][C][C][C][C][C][Ring1][=Branch1]\n");
        yield return Data("spaced_selfies.txt", "convert --from selfies --to smiles --grammar 1.0.4", 0, "CCO\nC1=CC=CC=C1\nNCC\n");
        yield return Data("inf.xyz", "prepare --frames F --missing drop --validation 0 --out D", 2, "no frame left to train on");
        yield return Data("inf.xyz", "prepare --frames T --validation-files F --out D", 2, "inf.xyz:1: an infinite label");
        yield return Data("einf.npz", "prepare --frames F --units eV --missing drop --validation 0 --out D", 0, "1 without labels");
        yield return Data("negative_prediction.csv", "estimate F --probe 0.3", 0, "r0", "r1");
        yield return Data("cr_only.smi", "prepare --molecules F --validation 0 --out D", 0, "3 molecules");
        yield return Data("comments.smi", "prepare --molecules F --validation 0 --out D", 0, "2 molecules", "0 refused");
    }

    [TestCaseSource(nameof(Given)), Category("Data")]
    public void A_file_of_the_data_folder_is_what_it_says_or_refused(string name, string command, int code, string[] said)
    {
        string file = ReferenceData.Require(Path.Combine("..", "cases", name)), store = Workplace.In("small-" + Guid.NewGuid().ToString("N"));
        string other = ReferenceData.Require(Path.Combine("..", "cases", "tr.xyz"));
        string[] words = [.. command.Split(' ').Select(word => word switch { "F" => file, "D" => store, "T" => other, _ => word })];
        Outcome outcome = words[0] == "convert" ? CommandLine.Run(words, File.ReadAllBytes(file)) : CommandLine.Here(words);
        Assert.That(outcome.ExitCode, Is.EqualTo(code), outcome.ToString());
        foreach (string part in said) Assert.That(outcome.Output + outcome.Error, Does.Contain(part));
        if (code != 0) Assert.That(Directory.Exists(store), Is.False);
    }

    [Test, Category("Data")]
    public void Every_file_of_the_table_is_among_them()
    {
        string[] listed = [.. File.ReadLines(ReferenceData.Require(Path.Combine("..", "cases", "cases.tsv"))).Skip(1).Select(line => line.Split('\t')[0]).Where(name => name.Length > 0)];
        Expect.AtLeast(listed.Length, 20);
        Assert.That(listed, Is.SubsetOf(Given().Select(one => (string)one.Arguments[0]!)));
    }

    /// <summary>What stands in the store afterwards, where its summary does not say. Of sGDML, vectors are columns.</summary>
    [Category("Data")]
    [TestCase("kliff.xyz", "TTF", 4, 0, 0, 0, 4, 0, 0, 0, 5, null), TestCase("refvirial.xyz", "TTT", 4, 0, 0, 0, 4, 0, 0, 0, 5, -0.1)]
    [TestCase("stress_unit.xyz", "TTT", 4, 0, 0, 0, 4, 0, 0, 0, 4, 0.00624150907), TestCase("sgdml_lat.npz", "TTT", 5, 0, 0, 1, 6, 0, 0, 0, 7, null)]
    public void A_frame_of_the_data_folder_is_stored_as_it_says(
        string name, string periodic, double a0, double a1, double a2, double b0, double b1, double b2, double c0, double c1, double c2, double? stress)
    {
        string file = ReferenceData.Require(Path.Combine("..", "cases", name)), store = Workplace.In("small-" + Guid.NewGuid().ToString("N"));
        Outcome outcome = CommandLine.Here("prepare", "--frames", file, "--validation", "0", "--out", store);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        using FrameStore opened = FrameStore.Open(store);
        Frame frame = opened.Train[0];
        Assert.That(string.Concat(frame.Periodic.Select(p => p ? 'T' : 'F')), Is.EqualTo(periodic));
        Assert.That(frame.Cell, Is.EqualTo((double[])[a0, a1, a2, b0, b1, b2, c0, c1, c2]));
        if (stress is { } expected) Expect.Close(frame.Stress, new[] { expected, 0, 0, 0, expected, 0, 0, 0, expected }, absolute: 1e-9);
    }

    private static TestCaseData Case(string name, string text, string command, int code, params string[] said) =>
        new TestCaseData(name, text, command, code, said).SetArgDisplayNames(string.Concat(name.Where(c => !char.IsControl(c))));

    private static TestCaseData Data(string name, string command, int code, params string[] said) => new TestCaseData(name, command, code, said).SetArgDisplayNames(name);
}
