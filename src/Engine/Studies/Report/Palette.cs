using System.Globalization;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Report;

/// <summary>Colours that stay apart for colour-blind readers: Okabe and Ito's for kinds, viridis for ordered values.</summary>
internal static class Palette
{
    public const string Ink = "#222222";
    public const string Faint = "#767676";
    public const string Alert = "#A33C00";
    public const string Grid = "#E4E4E4";

    // Up to green only: the yellow end is unreadable on white.
    private static readonly (int R, int G, int B)[] Viridis = [(68, 1, 84), (59, 82, 139), (33, 144, 140), (76, 175, 90)];

    public static string Fate(ConfigurationFate fate) => fate switch
    {
        ConfigurationFate.Kept => "#0072B2",
        ConfigurationFate.Stopped => "#D98200",
        _ => "#6B6B6B",
    };

    public static Mark FateMark(ConfigurationFate fate) => fate switch
    {
        ConfigurationFate.Kept => Mark.Circle,
        ConfigurationFate.Stopped => Mark.Triangle,
        _ => Mark.Cross,
    };

    /// <summary>Colour number <paramref name="index"/> of <paramref name="count"/> ordered groups, dark for the least.</summary>
    public static string Ordered(int index, int count)
    {
        double place = count < 2 ? 0.33 * (Viridis.Length - 1) : (double)index / (count - 1) * (Viridis.Length - 1);
        int low = Math.Min((int)place, Viridis.Length - 2);
        double share = place - low;
        int Mix(int a, int b) => (int)Math.Round(a + share * (b - a));
        ((int r0, int g0, int b0), (int r1, int g1, int b1)) = (Viridis[low], Viridis[low + 1]);
        return string.Create(CultureInfo.InvariantCulture, $"#{Mix(r0, r1):X2}{Mix(g0, g1):X2}{Mix(b0, b1):X2}");
    }
}
