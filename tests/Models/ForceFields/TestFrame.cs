using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Segments;

namespace ChemScale.Tests.Models.ForceFields;

/// <summary>A small frame, with neighbours by brute force over atoms and images.</summary>
internal sealed record TestFrame(int[] AtomicNumbers, double[][] Positions, double[][]? Cell = null, double Charge = 0, double Spin = 0)
{
    /// <summary>Atoms at random in a ball, none closer than 0.9 A; elements H, C, N, O.</summary>
    public static TestFrame Molecule(int atoms, int seed, double radius = 2.5)
    {
        var random = new Random(seed);
        return new TestFrame(Elements(atoms, random), Place(atoms, () => [.. Enumerable.Range(0, 3).Select(_ => radius * (2 * random.NextDouble() - 1))], null));
    }

    /// <summary>Atoms at random in a skew cell whose edges are shorter than a cutoff of 4 A.</summary>
    public static TestFrame Crystal(int atoms, int seed)
    {
        var random = new Random(seed);
        double[][] cell = [[3.6, 0.2, 0.1], [0.5, 3.3, -0.2], [-0.3, 0.4, 3.9]];
        double[] Inside()
        {
            double[] f = [random.NextDouble(), random.NextDouble(), random.NextDouble()];
            return [.. Enumerable.Range(0, 3).Select(x => f[0] * cell[0][x] + f[1] * cell[1][x] + f[2] * cell[2][x])];
        }
        return new TestFrame(Elements(atoms, random), Place(atoms, Inside, cell), cell);
    }

    public TestFrame Map(Func<double[], double[]> map) =>
        this with { Positions = [.. Positions.Select(map)], Cell = Cell is null ? null : [.. Cell.Select(map)] };

    public TestFrame Moved(Func<double[], double[]> map) => this with { Positions = [.. Positions.Select(map)] };

    /// <summary>One coordinate of one atom changed.</summary>
    public TestFrame Shifted(int atom, int axis, double by)
    {
        double[][] positions = [.. Positions.Select(p => (double[])p.Clone())];
        positions[atom][axis] += by;
        return this with { Positions = positions };
    }

    public TestFrame Permuted(int[] order) =>
        this with { AtomicNumbers = [.. order.Select(i => AtomicNumbers[i])], Positions = [.. order.Select(i => Positions[i])] };

    /// <param name="cutoff">Edges up to this length.</param>
    /// <param name="frames">The frames.</param>
    public static GraphBatch Batch(double cutoff, params TestFrame[] frames) => Batch(cutoff, twoWay: true, frames);

    /// <param name="cutoff">Edges up to this length.</param>
    /// <param name="twoWay">Whether edges know their reverse.</param>
    /// <param name="frames">The frames.</param>
    public static GraphBatch Batch(double cutoff, bool twoWay, params TestFrame[] frames)
    {
        List<int> rowStarts = [0], senders = [];
        List<double> shifts = [];
        List<(int From, int To, int Image, int Back)> ends = [];
        int first = 0;
        foreach (TestFrame frame in frames)
        {
            int reach = frame.Cell is null ? 0 : 3;
            for (int i = 0; i < frame.Positions.Length; i++)
            {
                for (int j = 0; j < frame.Positions.Length; j++)
                {
                    for (int image = 0; image < Math.Pow(2 * reach + 1, 3); image++)
                    {
                        double[] shift = frame.Shift(image, reach);
                        double d = Distance(frame.Positions[i], frame.Positions[j], shift);
                        if (d >= cutoff || (i == j && d == 0)) continue;
                        senders.Add(first + j);
                        // Images are numbered from one corner of the block to the opposite one.
                        ends.Add((first + j, first + i, image, (int)Math.Pow(2 * reach + 1, 3) - 1 - image));
                        shifts.AddRange(shift);
                    }
                }
                rowStarts.Add(senders.Count);
            }
            first += frame.Positions.Length;
        }
        var places = ends.Select((e, index) => (e, index)).ToDictionary(e => (e.e.From, e.e.To, e.e.Image), e => e.index);
        int[] reverse = twoWay ? [.. ends.Select(e => places[(e.To, e.From, e.Back)])] : [];
        bool periodic = frames.Any(f => f.Cell is not null);
        double[] cells = [.. frames.SelectMany(f => f.Cell is null ? new double[9] : f.Cell.SelectMany(v => v))];
        return new GraphBatch([.. frames.Select(f => f.Positions.Length)], [.. frames.SelectMany(f => f.AtomicNumbers)],
            [.. frames.SelectMany(f => f.Positions).SelectMany(p => p)], new EdgeList([.. rowStarts], [.. senders], reverse),
            periodic ? [.. shifts] : [], periodic ? cells : [],
            [.. frames.Select(f => f.Charge)], [.. frames.Select(f => f.Spin)]);
    }

    private double[] Shift(int image, int reach)
    {
        if (Cell is null) return [0, 0, 0];
        int side = 2 * reach + 1;
        int[] s = [image % side - reach, image / side % side - reach, image / side / side - reach];
        return [.. Enumerable.Range(0, 3).Select(x => s[0] * Cell[0][x] + s[1] * Cell[1][x] + s[2] * Cell[2][x])];
    }

    private static int[] Elements(int atoms, Random random) => [.. Enumerable.Range(0, atoms).Select(_ => new[] { 1, 6, 7, 8 }[random.Next(4)])];

    private static double[][] Place(int atoms, Func<double[]> draw, double[][]? cell)
    {
        List<double[]> placed = [];
        var images = new TestFrame([], [], cell);
        int count = cell is null ? 1 : 27;
        while (placed.Count < atoms)
        {
            double[] candidate = draw();
            if (placed.All(p => Enumerable.Range(0, count).All(s => Distance(candidate, p, images.Shift(s, cell is null ? 0 : 1)) > 0.9))) placed.Add(candidate);
        }
        return [.. placed];
    }

    private static double Distance(double[] from, double[] to, double[] shift) =>
        Math.Sqrt(Enumerable.Range(0, 3).Sum(x => Math.Pow(to[x] + shift[x] - from[x], 2)));
}
