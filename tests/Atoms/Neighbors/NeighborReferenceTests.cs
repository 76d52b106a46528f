using System.Text;
using ChemScale.Engine.Atoms.Neighbors;
using NUnit.Framework;

namespace ChemScale.Tests.Atoms.Neighbors;

/// <summary>Against the lists of an independent program, both searches, for every system of every such file.</summary>
public class NeighborReferenceTests
{
    [TestCaseSource(nameof(Files))]
    public void Both_searches_equal_the_reference_lists(string file)
    {
        var npz = ChemScale.Engine.Atoms.Formats.Npz.NpzArchive.Open(file);
        string[] names = npz["names"].Texts();
        double cutoff = npz["cutoff"].Doubles()[0];
        Assert.That(names, Is.Not.Empty);
        foreach (string name in names)
        {
            double[] positions = npz[$"{name}.pos"].Doubles(), cell = npz[$"{name}.cell"].Doubles();
            bool[] periodic = [.. npz[$"{name}.pbc"].Integers().Select(flag => flag != 0)];
            string expected = Expected(npz, name);
            PeriodicBox box = PeriodicBox.Of(positions, cell, periodic, name);
            NeighborList brute = BruteForce.Build(positions, box, cutoff, name), linked = LinkedCells.Build(positions, box, cutoff, name);
            Assert.That(Text(brute), Is.EqualTo(expected), name);
            Assert.That(Text(linked), Is.EqualTo(expected), name);
            CheckDistances(brute.EdgeVectors(positions, cell), npz[$"{name}.d"].Doubles(), name);
        }
    }

    private static IEnumerable<TestCaseData> Files() => ReferenceData.Cases("fixtures", "neighbours_ase*.npz");

    private static void CheckDistances(double[] vectors, double[] distances, string name)
    {
        double[] lengths = [.. vectors.Chunk(3).Select(v => Math.Sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]))];
        if (distances.Length > 0 || lengths.Length > 0) Expect.Close(lengths, distances, absolute: 1e-12, message: name);
    }

    private static string Expected(ChemScale.Engine.Atoms.Formats.Npz.NpzArchive npz, string name)
    {
        long[] i = npz[$"{name}.i"].Integers(), j = npz[$"{name}.j"].Integers(), shifts = npz[$"{name}.S"].Integers();
        StringBuilder text = new();
        for (int edge = 0; edge < i.Length; edge++)
        {
            text.Append($"{i[edge]} {j[edge]} {shifts[3 * edge]} {shifts[3 * edge + 1]} {shifts[3 * edge + 2]}\n");
        }
        return text.ToString();
    }

    private static string Text(NeighborList list)
    {
        StringBuilder text = new();
        for (int edge = 0; edge < list.Edges; edge++)
        {
            text.Append($"{list.Receivers[edge]} {list.Senders[edge]} {string.Join(' ', list.Shifts[(3 * edge)..(3 * edge + 3)])}\n");
        }
        return text.ToString();
    }
}
