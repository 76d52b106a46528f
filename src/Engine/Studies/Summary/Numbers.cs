using System.Globalization;

namespace ChemScale.Engine.Studies.Summary;

/// <summary>
/// How the report writes numbers: thousands separators, a true minus sign, powers of ten as <c>1.2×10^5</c> (the caret is drawn as
/// a superscript), a dash for what is missing or not finite.
/// </summary>
internal static class Numbers
{
    public const string Missing = "–";

    // No line breaks between a number and its unit.
    private const string Thin = "\u00A0";

    private const double LeastPlain = 1e-3;
    private const double MostPlain = 1e6;

    public static string Count(long value) => Sign(value.ToString("N0", CultureInfo.InvariantCulture));

    /// <summary><paramref name="digits"/> significant digits, trailing zeros kept: for measured values that stand in a column.</summary>
    public static string Significant(double? value, int digits = 4)
    {
        if (value is not { } v || !double.IsFinite(v)) return Missing;
        if (v == 0) return "0";
        double size = Math.Abs(v);
        if (size is < LeastPlain or >= MostPlain) return Scientific(v, digits);
        return Fixed(v, Math.Max(0, digits - 1 - Exponent(size, digits)));
    }

    /// <summary>Like <see cref="Significant"/>, trailing zeros dropped: for chosen values such as a learning rate.</summary>
    public static string Short(double? value, int digits = 6)
    {
        if (value is not { } v || !double.IsFinite(v)) return Missing;
        if (v == 0) return "0";
        double size = Math.Abs(v);
        if (size is >= LeastPlain and < MostPlain) return Trim(Fixed(v, Math.Clamp(digits - 1 - Exponent(size, digits), 0, 15)));
        return Power(v, digits);
    }

    /// <summary>As a power of ten, trailing zeros dropped: 10^5, 2.5×10^5.</summary>
    public static string Power(double value, int digits)
    {
        string[] parts = Scientific(value, digits).Split('×');
        string mantissa = Trim(parts[0]);
        return mantissa switch { "1" => parts[1], "−1" => "−" + parts[1], _ => mantissa + "×" + parts[1] };
    }

    public static string Fixed(double value, int decimals)
    {
        if (!double.IsFinite(value)) return Missing;
        string text = value.ToString("N" + decimals, CultureInfo.InvariantCulture);
        // What rounds to zero has no sign.
        return text.AsSpan().IndexOfAnyInRange('1', '9') < 0 ? text.TrimStart('-') : Sign(text);
    }

    public static string Percent(double? fraction) => fraction is { } f && double.IsFinite(f) ? Fixed(100 * f, 1) + Thin + "%" : Missing;

    /// <summary>A value with its error at two significant digits: 1.234 ± 0.012.</summary>
    public static string PlusMinus(double? value, double? error)
    {
        if (value is not { } v || !double.IsFinite(v)) return Missing;
        if (error is not { } e || !double.IsFinite(e) || e <= 0) return Significant(v);
        if (Math.Abs(v) >= MostPlain || e is < 1e-9 or >= MostPlain) return $"{Significant(v)} ± {Significant(e, 2)}";
        int decimals = Math.Clamp(1 - Exponent(e, 2), 0, 9);
        return $"{Fixed(v, decimals)} ± {Fixed(e, decimals)}";
    }

    /// <summary>A difference, with the decimals that four significant digits of <paramref name="like"/> have.</summary>
    public static string Difference(double? value, double? like)
    {
        if (value is not { } v || like is not { } scale || !double.IsFinite(v) || !double.IsFinite(scale)) return Missing;
        double size = Math.Abs(scale);
        return size is < LeastPlain or >= MostPlain ? Significant(v, 2) : Fixed(v, Math.Max(0, 3 - Exponent(size, 4)));
    }

    /// <summary>Words for a time: 0.42 s, 12 s, 3 min 05 s, 2 h 10 min.</summary>
    public static string Duration(double? seconds)
    {
        if (seconds is not { } s || !double.IsFinite(s)) return Missing;
        if (s < 9.95) return Significant(s, 2) + Thin + "s";
        if (s < 59.5) return Fixed(s, 0) + Thin + "s";
        long whole = (long)Math.Round(Math.Min(s, 1e15));
        if (whole < 3600) return string.Create(CultureInfo.InvariantCulture, $"{whole / 60}{Thin}min {whole % 60:00}{Thin}s");
        long minutes = (whole + 30) / 60;
        return string.Create(CultureInfo.InvariantCulture, $"{minutes / 60:N0}{Thin}h {minutes % 60:00}{Thin}min");
    }

    private static string Scientific(double value, int digits)
    {
        string[] parts = value.ToString("E" + (digits - 1), CultureInfo.InvariantCulture).Split('E');
        return Sign($"{parts[0]}×10^{int.Parse(parts[1], CultureInfo.InvariantCulture)}");
    }

    // Of the value as it will be printed: 9.9996 to four digits is 10.00.
    private static int Exponent(double size, int digits) =>
        int.Parse(size.ToString("E" + (digits - 1), CultureInfo.InvariantCulture).Split('E')[1], CultureInfo.InvariantCulture);

    private static string Trim(string text) => text.Contains('.') ? text.TrimEnd('0').TrimEnd('.') : text;

    private static string Sign(string text) => text.Replace('-', '−');
}
