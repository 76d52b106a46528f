using System.Globalization;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Report;

/// <summary>The page's style sheet. Without child combinators and entities, so that it reads the same in HTML and XML.</summary>
internal static class ReportStyle
{
    public const string Css = """

        :root { color-scheme: light; }
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
        body { margin: 0 auto; padding: 24px 28px 64px; max-width: 1360px; background: #fff; color: #1b1b1b;
          font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
        h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
        h2 { font-size: 1.45rem; line-height: 1.25; margin: 48px 0 12px; padding-top: 14px; border-top: 2px solid #1b1b1b; }
        h3 { font-size: 1.15rem; margin: 32px 0 8px; }
        h4 { font-size: 1rem; margin: 24px 0 6px; }
        p, ul, dl { margin: 8px 0; max-width: 52rem; }
        ul { padding-left: 1.3em; }
        li { margin: 4px 0; }
        a { color: #00558a; }
        sup { font-size: 0.72em; line-height: 0; }
        .meta { color: #555; margin: 0; }
        .headline { font-size: 1.12rem; padding: 12px 16px; background: #f2f6fa; border-left: 4px solid #0072b2; max-width: none; }
        .banner { padding: 10px 14px; background: #fff4ec; border-left: 4px solid #a33c00; max-width: none; }
        .found h3 { margin: 16px 0 4px; }
        .synthetic, .tag { display: inline-block; font-size: 0.72rem; line-height: 1.5; border: 1px solid #888; border-radius: 3px;
          padding: 0 6px; white-space: nowrap; }
        .synthetic { font-weight: 700; letter-spacing: 0.04em; color: #a33c00; background: #fff; border-color: #a33c00; margin-right: 6px;
          vertical-align: 0.1em; }
        .unbroken { white-space: nowrap; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; }
        dt { font-weight: 600; }
        dd { margin: 0; }
        .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 520px), 1fr)); gap: 24px; margin: 16px 0;
          align-items: start; }
        figure { margin: 0; padding: 8px 8px 12px; border: 1px solid #ddd; border-radius: 4px; max-width: 600px; min-width: 0; }
        figure svg { display: block; width: 100%; height: auto; }
        figcaption { font-size: 0.88rem; color: #444; padding: 8px 8px 0; overflow-wrap: anywhere; }
        .table { margin: 16px 0; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-size: 0.9rem; }
        .caption { font-size: 0.9rem; font-weight: 600; margin: 0 0 4px; max-width: none; }
        th, td { padding: 5px 8px; text-align: left; border-bottom: 1px solid #e2e2e2; vertical-align: top; }
        th { border-bottom: 2px solid #888; vertical-align: bottom; font-weight: 600; }
        td { font-variant-numeric: tabular-nums; }
        .number { text-align: right; white-space: nowrap; }
        th.number { white-space: normal; }
        tr.selected td { background: #f2f6fa; }
        tr.noted td { border-bottom: 0; padding-bottom: 0; }
        .note { position: sticky; left: 8px; max-width: min(64rem, calc(100vw - 60px)); padding-left: 1.4em; color: #444; font-size: 0.94em; }
        .tag { margin-left: 6px; }
        .tag.plain { margin-left: 0; }
        .tag.warn { margin-left: 0; border-color: #a33c00; color: #a33c00; }
        .fate { white-space: nowrap; }
        .fate::before { content: ""; display: inline-block; width: 0.65em; height: 0.65em; margin-right: 0.45em; border-radius: 50%;
          background: #0072b2; }
        .fate.stopped::before { background: #d98200; border-radius: 0; clip-path: polygon(50% 0, 100% 100%, 0 100%); }
        .fate.diverged::before { content: "×"; width: auto; height: auto; line-height: 0.65em; font-weight: 700; color: #6b6b6b;
          background: none; }
        pre { margin: 4px 0 12px; padding: 10px 12px; background: #f5f5f5; border: 1px solid #e2e2e2; border-radius: 4px; overflow-x: auto;
          font: 0.88rem/1.45 ui-monospace, Consolas, "DejaVu Sans Mono", monospace; }
        @media (max-width: 640px) {
          body { padding: 16px 14px 40px; }
          h1 { font-size: 1.5rem; }
          h2 { font-size: 1.25rem; }
          figure { padding: 4px 2px 8px; }
          th, td { padding: 4px 8px; }
          dl { grid-template-columns: 1fr; gap: 0; }
          dd { margin-bottom: 8px; }
        }
        @media print {
          @page { margin: 14mm; }
          body { padding: 0; max-width: none; font-size: 10pt; }
          h2, h3, h4, .caption { break-after: avoid; }
          figure, tr, pre, li { break-inside: avoid; }
          thead { display: table-header-group; }
          .figures { display: block; }
          figure { max-width: 116mm; margin: 0 0 5mm; }
          h2 { margin-top: 8mm; }
          h3 { margin-top: 5mm; }
          .scroll { overflow: visible; }
          table { font-size: 7.5pt; }
          th, td { padding: 2px 5px; }
          .number { white-space: normal; }
          pre { white-space: pre-wrap; overflow-wrap: anywhere; }
          a { color: inherit; text-decoration: none; }
          .headline, .banner, .synthetic, tr.selected td, .fate::before { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
        }

        """;
}

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
