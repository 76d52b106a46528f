using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.Npz;

namespace ChemScale.Tests.Studies;

/// <summary>Triatomic molecules held together by springs: an energy and forces that small models can learn.</summary>
internal static class SpringFrames
{
    public static Frame[] Make(int count)
    {
        var random = new Random(4);
        return [.. Enumerable.Range(0, count).Select(_ => One([.. new[] { 0.0, 0, 0, 0.96, 0, 0, -0.24, 0.93, 0 }.Select(x => x + 0.2 * (random.NextDouble() - 0.5))]))];
    }

    public static void Save(string path, int count) => NpzFrameWriter.Write(path, Make(count));

    private static Frame One(double[] positions)
    {
        double energy = -14;
        var forces = new double[9];
        for (int i = 0; i < 3; i++)
        {
            for (int j = 0; j < 3; j++)
            {
                if (i == j) continue;
                double[] r = [.. Enumerable.Range(0, 3).Select(k => positions[3 * j + k] - positions[3 * i + k])];
                double d = Math.Sqrt(r.Sum(x => x * x)), stretch = d - (i == 0 || j == 0 ? 0.96 : 1.52);
                energy += stretch * stretch;
                for (int k = 0; k < 3; k++) forces[3 * i + k] += 4 * stretch * r[k] / d;
            }
        }
        return new Frame { AtomicNumbers = [8, 1, 1], Positions = positions, Energy = energy, Forces = forces };
    }
}
