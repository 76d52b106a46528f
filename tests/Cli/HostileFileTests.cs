using System.Text;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>
/// Files and options that a hand made to be misread, of the kinds that went wrong somewhere: each is read as it says, or refused in one visible line with exit
/// code 2 and nothing left behind.
/// </summary>
public sealed class HostileFileTests
{
    private const string Columns = "Properties=species:S:1:pos:R:3:forces:R:3", Pair = "O 0 0 0 0 0 0.01\nC 0 0 1.15 0 0 -0.01\n", Escape = "\u001b[2J";

    private const int Either = -1;

    // What stands behind the columns of a frame's second line.
    private static readonly (string Info, int Code, string Said)[] Infos =
    [
        ("energy=-1 energy-unit=HARTREE force-unit=hartree/bohr", 0, "energy -13.6057 eV/atom"), ("energy=-1 energy_unit=kcal/mol", 0, "energy -0.0217 eV/atom"),
        ("energy=-1 units=kcal/mol", 0, "energy -0.0217 eV/atom"), ("energy=-1 energy-unit=\"\"", 2, "energy-unit: not stated"),
        ("energy=-1 energy-unit=eV/atom", 2, "'eV/atom'"), ("energy=-1 force-unit=eV/furlong", 2, "'furlong'"),
        ("energy=-1 Lattice=\"9 0 0 0 9 0 0 0 9\" stress=\"1 0 0 0 1 0 0 0 1\" stress-unit=psi", 2, "'psi'"),
        ("energy=-1 energy-unit=eV energy_units=Hartree", 2, "one unit of a kind"),
        ("energy=-1 Lattice=\"9 0 0 0 9 0 0 0\"", 2, "nine numbers"), ("energy=-1 Lattice=\"9 0 0 0 9 0 0 0 nan\"", 2, "finite"),
        ("energy=-1 Lattice=\"9 0 0 18 0 0 0 0 9\"", 2, "no volume"), ("energy=-1 Lattice=\"1e-3 0 0 0 1e-3 0 0 0 1e-3\"", 2, "neighbours an atom"),
        ("energy=-1 Lattice=\"1e300 0 0 0 1e300 0 0 0 1e300\"", 2, "no volume"), ("energy=-1 Lattice=\"9 0 0 8.99999 0.001 0 0 0 9\"", 2, "neighbours an atom"),
        ("energy=-1 pbc=\"T T\"", 2, "three of T and F"), ("energy=-1 pbc=\"maybe T F\"", 2, "three of T and F"), ("energy=-1 pbc=\"T T T\"", 2, "without Lattice"),
        ("energy=\"-1", 2, "not closed"), ("energy=\"1 2\"", 2, "one number"), ("energy=T", 2, "numbers"), ("energy=abc\u0007", 2, "\\u0007"),
        ("energy=-1 Energy=-2", 0, "Energy is there too"), ("energy=-1 \"a" + Escape + "\"=3", 0, "1 train"),
        ("energy=-1e30", 0, "energy -5E+29 eV/atom"), ("energy=-1e308", 2, "an infinite label, or one beyond 1E+30"),
    ];

    private static readonly (string Properties, int Code)[] Tables =
    [
        ("species:S:1:forces:R:3", 2), ("species:S:1:pos:R:99999999:forces:R:3", 2), ("species:S:1:pos:R:3:pos:R:3", 2), ("species:S:1:pos:R:3:forces:R:2", 2),
        ("species:S:1:pos:R:-3:forces:R:3", 2), ("species:S:1:pos:R", 2), ("\"", 2), ("species:S:9223372036854775808:pos:R:3", 2), (":::", 2),
    ];

    private static readonly string[] Counts = ["1e3", "+2", "2.0", "0", "-1", "99999999999999999999", "2 # two", "0x2", "\u0662", "", Escape];

    private static readonly (string Atom, string Said)[] Atoms =
    [
        ("O 0 0 1.15 0 0 0", "at one point"), ("Xx 0 0 0 0 0 0", "'Xx'"), (Escape + "O 0 0 0 0 0 0", "\\u001b"), ("119 0 0 0 0 0 0", "'119'"), ("O 0 0 1e400 0 0 0", "Infinity"),
        ("O 0 0 nan 0 0 0", "NaN"), ("O 0 0 0,1 0 0 0", "'0,1'"), ("O\0 0 0 0 0 0", "columns"), ("O 0 0 0 0 0", "columns"), ("O 0 0 0 0 0 0 0 0", "columns"),
    ];

    private static readonly (string Name, string Text, string Options, int Code, string Said)[] Molecules =
    [
        ("a.smi", "CCO\0CCN\nCCC\n", "", 2, "a NUL byte"), ("a.smi", "\n\n\n", "", 2, "no molecules"), ("a.smi", "# only\n", "", 2, "no molecules"),
        ("a.csv", "id,name\n1,CCO\n", "", 2, "one named smiles"), ("a.csv", "smiles,smiles\nCCO,CCN\n", "", 2, "one alone named smiles"),
        ("a.csv", "id,smiles\n1\n2,CCO,3,4\n3,CCN\n", "", 0, "molecules"), ("a.csv", "id,smiles\n1,\"CCO\n2,CCN\n", "", 0, "1 molecules"), ("a.csv", "", "", 2, "a.csv"),
        ("a.tsv", "smiles\tid\nCCO\t1\nCCN\t2\n", "", 0, "2 molecules"), ("a.csv", "smiles;id\nCCO;1\n", "", 0, "1 molecules"), ("a.smi.gz", "CCO\n", "", 0, "1 molecules"),
        ("a.smi", "\u202eCCO\nC" + Escape + "CO\nCCN\n", "", 0, "1 molecules"), ("a.smi", "[C+99]\n[CH99]\nC%%\n[Cm:99999999999]\n[OH2+9999999999]\nCCO\n", "", 0, "molecules"),
        ("a.smi", "CC." + "CC.CC.CC.CC.CC.CC" + "\nCCO\n", "", 0, "several fragments"), ("a.smi", new string('(', 5000) + "\nCCO\n", "", 0, "1 molecules"),
        ("a.smi", new string('C', 200_000) + "\nCCO\n", "", 0, "1 molecules"), ("a.txt", "[C][C] [C]\n[C][\n[]\n[Ring3][C]\n", "--kind selfies", 0, "molecules"),
        ("a.smi", "CCO\n", "--limit -5", 2, "--limit: -5"), ("a.smi", "CCO\n", "--threads 0", 2, "1 to 1024"), ("a.smi", "CCO\n", "--threads 1000000", 2, "1 to 1024"),
        ("a.smi", "CCO\n", "--max-tokens 0", 2, "at least 3"), ("a.smi", "CCO\n", "--min-count 1e9", 2, "whole number"), ("a.smi", "CCO\n", "--grammar 3.0", 2, "1.0.4"),
    ];

    private static readonly (string Text, int Code)[] Experiments =
    [
        ("model: {family: chemgpt, width: 64, width: 32}", 2), ("\tmodel: 3", 2), ("model: {family: chemgpt, width: 9999999999999999999}", 2),
        ("model: {family: chemgpt, wdith: 64}", 2), ("model:\ndata:\ntraining:", 2), ("model: \0", 2), ("model: {family: chemgpt}\n<<: {seed: 3}", 2),
        ("!!python/object/apply:os.system [\"id\"]", 2), ("model: {family: chemgpt}\ntraining: {epochs: .inf}", 2), ("model: {family: chemgpt, width: -1}", 2),
        ("model: {family: chemgpt, width: 16, heads: 0, layers: 1}", 2), ("model: {family: chemgpt}\nseed: 99999999999999999999999", 2),
        ("model: {family: chemgpt}\ntraining: {learningRate: .nan}", 2), ("model: {family: chemgpt}\ntraining: {learningRate: 1e999}", 2),
        ("model: {family: \"chem\\ngpt\\e[2J\"}", 2), ("- 1\n- 2", 2), ("just text", 2), ("", 2), ("model: [1]", 2), ("model: {family: chemgpt}\n? [a]\n: b", 2),
        ("model: {family: chemgpt}\nmodel: {family: painn}", 2), ("model: {family: chemgpt}\ndata: {store: \"/a\\0b\"}", 2), ("a: \"" + Escape + "\"", 2),
    ];

    private static readonly string[] TrainOptions =
    [
        "--steps 99999999999999999999", "--steps -1", "--lr 1e999", "--lr nan", "--lr -1", "--batch 0", "--batch 2147483648", "--threads -1", "--threads 1000000", "--warmup -5",
        "--validate-every banana", "--clip nan", "--ema 2", "--seed abc", "--limit 0", "--device cuda:99", "--set model.width", "--set model.width=99999999999", "--layers -1",
    ];

    private static readonly (string Text, int Code)[] Points =
    [
        ("n,loss\n", 2), ("n,loss\n1e3,2\n", 2), ("n,n,loss\n1,2,3\n", 2), ("n,loss\n1e3,abc\n1e4,1\n1e5,1\n1e6,1\n", 2), ("n,loss\n-5,1\n1e3,2\n1e4,1.5\n1e5,1.2\n1e6,1.1\n", 2),
        ("n,loss\n0,1\n1e3,2\n1e4,1.5\n1e5,1.2\n1e6,1.1\n", 2), ("n;loss\n1e3;2\n1e4;1.5\n1e5;1.2\n1e6;1.1\n", Either), ("\ufeffn,loss\n1e3,2\n1e4,1.5\n1e5,1.2\n1e6,1.1\n", 0),
        ("n,loss\n\"1e3\n\",2\n1e4,1.5\n1e5,1.2\n1e6,1.1\n", Either), ("n,loss\n1e3,1\n1e3,1\n1e3,1\n1e3,1\n1e3,1\n", 2),
        ("n,loss\n1e3,5e301\n1e4,4e301\n1e5,3e301\n1e6,2e301\n1e7,1e301\n", Either), ("n,loss\n1e308,1e308\n1e307,1e307\n1e306,1\n1e305,1\n", Either),
        ("", 2), ("\0\0\0", 2), (Escape + ",loss\n1,2\n", 2),
    ];

    private static readonly (string Text, int Code)[] Curves =
    [
        ("epoch,a,b\n0,1,1\n1,1,1\n2,1,1\n3,1,1\n", Either), ("epoch,a\n0,nan\n1,inf\n", Either), ("epoch,a\n0,1\n", Either),
        ("epoch,a,a\n0,3,3\n1,2,2\n2,1,1\n", 2), ("a,b\n1,2\n", 2),
        ("", 2),
        ("run,epoch,loss\n" + new string('w', 1000) + ",1,2\nb,1,2\n", 2), ("run,epoch,loss\na,1,1e300\na,2,1e299\nb,1,3\nb,2,2\nc,1,3\nc,2,2.5\nd,1,3\nd,2,2.2\n", 0),
        ("epoch,\"a\nb" + Escape + "\",c\n0,3,2\n1,2,1.5\n2,1.5,1.2\n3,1.3,1.1\n", Either), ("epoch,a,b\n0,-3,2\n1,-4,1.5\n2,-5,1.2\n3,-6,1.1\n", Either),
    ];

    private static readonly string[][] Verbs =
    [
        ["frobnicate"], ["train", "--frob"], ["train", "--steps"], [""], [Escape], ["prepare", "--out", "D"], ["prepare", "--virtual", "5", "--out", ""],
        ["prepare", "--virtual", "0", "--out", "D"],
        ["convert", "--from", "klingon"], ["verify", "nowhere"], ["generate", "--run", "nowhere\n", "--out", "D"], ["analyze", "nowhere"], ["import", "nowhere", "--out", "D"],
        ["prepare", "--frames", "/dev/zero", "--out", "D"], ["prepare", "--molecules", "/dev/zero", "--out", "D"],
    ];

    private static IEnumerable<TestCaseData> All()
    {
        foreach ((string info, int code, string said) in Infos)
            yield return Case("a.xyz", $"2\n{Columns} {info}\n{Pair}", "prepare --frames F --validation 0 --out D", code, said);
        foreach ((string properties, int code) in Tables)
            yield return Case("a.xyz", $"2\nProperties={properties} energy=-1\n{Pair}", "prepare --frames F --validation 0 --out D", code);
        foreach (string count in Counts)
            yield return Case("a.xyz", $"{count}\n{Columns} energy=-1\n{Pair}", "prepare --frames F --validation 0 --out D", 2, "number of atoms");
        foreach ((string atom, string said) in Atoms)
            yield return Case("a.xyz", $"2\n{Columns} energy=-1\nC 0 0 1.15 0 0 -0.01\n{atom}\n", "prepare --frames F --validation 0 --out D", 2, said);
        foreach ((string name, string text, string options, int code, string said) in Molecules)
            yield return Case(name, text, $"prepare --molecules F --validation 0 --out D {options}".TrimEnd(), code, said);
        foreach ((string text, int code) in Experiments) yield return Case("a.yaml", text + "\n", "train --experiment F --out D", code);
        foreach ((string text, int code) in Points) yield return Case("a.csv", text, "fit F --resource parameters --n n --loss loss --bootstrap 20", code);
        foreach ((string text, int code) in Curves) yield return Case("a.csv", text, "estimate F", code);
        yield return Case("a.csv", $"n,loss,g\n{string.Concat(Enumerable.Range(3, 5).Select(k => $"1e{k},{9 - k},{new string('w', 1000)}\n"))}",
            "fit F --resource parameters --n n --by g --bootstrap 20", 2, "a name of 1000 characters");
        yield return Case("a.xyz", $"2\n{Columns} energy=-1 config_type={new string('w', 1000)} {new string('v', 1000)}_energy=-2\n{Pair}", "prepare --frames F --validation 0 --out D", 0);
        yield return Case("a.xyz", $"1\n{Columns} energy=1e30 config_type=IsolatedAtom\nO 0 0 0 0 0 0\n2\n{Columns} energy=-1\n{Pair}", "prepare --frames F --validation 0 --out D", 0,
            "isolated atoms, eV: O 1E+30");
        foreach (string options in TrainOptions)
        {
            string steps = options.StartsWith("--steps", StringComparison.Ordinal) ? "" : "--steps 1 ";
            yield return Case("a.txt", "", $"train --data STORE --out D --layers 1 --width 16 --heads 2 {steps}{options}", 2);
        }

        foreach (string[] words in Verbs) yield return Case("a.txt", "", string.Join('\t', words), 2);
    }

    [TestCaseSource(nameof(Numbered))]
    public void It_is_what_it_says_or_refused_in_one_visible_line(string name, string text, string command, int code, string[] said)
    {
        string folder = Directory.CreateDirectory(Workplace.In("hostile-" + Guid.NewGuid().ToString("N"))).FullName;
        string file = Path.Combine(folder, name), output = Path.Combine(folder, "out");
        File.WriteAllText(file, text, new UTF8Encoding(false));
        string[] words = command.Split(command.Contains('\t', StringComparison.Ordinal) ? '\t' : ' ');
        Outcome outcome = CommandLine.Here([.. words.Select(word => word switch { "F" => file, "D" => output, "STORE" => Workplace.Store, _ => word })]);
        Assert.That(outcome.ExitCode, code == Either ? Is.AnyOf(0, 2) : Is.EqualTo(code), outcome.ToString());
        foreach (string part in said) Assert.That(outcome.Output + outcome.Error, Does.Contain(part));
        // Paths, the longest of what is printed, are the tests' own.
        Expect.AtMost(outcome.Output.Replace(folder, "", StringComparison.Ordinal).Split('\n').Max(line => line.Length), 300, outcome.Output);
        bool hidden = (outcome.Output + outcome.Error).Any(c => char.IsControl(c) && c is not ('\n' or '\r'));
        Assert.That(hidden, Is.False, outcome.ToString());
        if (outcome.ExitCode == 0) return;
        string[] lines = [.. outcome.ErrorLines.Where(line => !line.StartsWith("chemscale: warning", StringComparison.Ordinal))];
        Assert.That((lines.Length, Directory.Exists(output)), Is.EqualTo((1, false)), outcome.ToString());
        Expect.AtMost(lines[0].Length, 300);
    }

    private static TestCaseData Case(string name, string text, string command, int code, params string[] said) => new(name, text, command, code, said);

    private static IEnumerable<TestCaseData> Numbered() => All().Select((one, i) => one.SetArgDisplayNames($"{i}"));
}
