using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Atoms.Preparation;

namespace ChemScale.Tests.Atoms.Preparation;

/// <summary>Made-up frames of two compositions, one of them periodic, in a file of a folder.</summary>
internal static class SmallFrames
{
    public static Frame[] Make(int count, int seed = 1)
    {
        Random random = new(seed);
        double[] Numbers(int length, double scale) => [.. Enumerable.Range(0, length).Select(_ => scale * random.NextDouble())];
        return
        [
            .. Enumerable.Range(0, count).Select(i => i % 2 == 0
                ? new Frame
                {
                    AtomicNumbers = [8, 1, 1],
                    Positions = Numbers(9, 4),
                    Energy = -10 + 0.1 * random.NextDouble(),
                    Forces = Numbers(9, 1),
                }
                : new Frame
                {
                    AtomicNumbers = [29, 8],
                    Positions = Numbers(6, 3),
                    Cell = [4, 0, 0, 0, 4, 0, 0, 1, 4],
                    Periodic = [true, true, false],
                    Energy = -7,
                    Forces = Numbers(6, 1),
                    Stress = [1, 2, 3, 2, 5, 6, 3, 6, 9],
                    Charge = 1,
                    Spin = 2,
                    ConfigType = "bulk",
                }),
        ];
    }

    public static string Save(string path, IEnumerable<Frame> frames)
    {
        using StreamWriter text = new(path);
        ExtXyzWriter writer = new(text);
        foreach (Frame frame in frames) writer.Write(frame);
        return path;
    }

    public static FramePreparation Options(TemporaryFolder folder, params string[] files) =>
        new() { Files = files, Output = folder["store"], Seed = 3, ValidationFraction = 0.2 };
}
