using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using NUnit.Framework;
using TorchSharp;

namespace ChemScale.Tests;

/// <summary>
/// Every comparison of numbers that is not plain equality. NUnit's own order (Is.LessThan and its kin) sorts NaN below everything, so a NaN passes
/// where "small" is meant; its Within takes two NaN as equal. A test in House keeps those constraints out of this project, for integers too.
/// <list type="bullet">
/// <item><c>Expect.Close(actual, expected, absolute: 1e-12)</c>: numbers, sequences (equal lengths, not empty), tensors (equal shapes and types, not empty).
/// Allowed at each place: absolute + relative |expected| + ofLargest max|expected|; without any, equality. A failure names the worst place.</item>
/// <item><c>Expect.AllClose(sequence, number, ...)</c>, <c>Expect.Apart(actual, other, by: 0.1)</c>.</item>
/// <item><c>Expect.Below</c>, <c>AtMost</c>, <c>Above</c>, <c>AtLeast</c>, <c>Between</c> (ends included), <c>AllBetween</c>, <c>Ascending</c>, <c>Descending</c>.</item>
/// </list>
/// NaN, infinity and null fail everywhere; <c>nonFinite: true</c> lets Close take the same NaN or infinity at the same place as equal.
/// </summary>
public static class Expect
{
    [OverloadResolutionPriority(1)]
    public static void Close(double? actual, double? expected, double absolute = 0, double relative = 0, double ofLargest = 0, bool nonFinite = false,
        string message = "", [CallerArgumentExpression(nameof(actual))] string what = "")
    {
        if (actual is not { } a || expected is not { } e)
            Fail(message, what, $"{Show(actual)} where {Show(expected)} is expected");
        else
            Compare([a], [e], _ => "", new(absolute, relative, ofLargest, nonFinite), message, what);
    }

    [OverloadResolutionPriority(1)]
    public static void Close(IEnumerable<double>? actual, IEnumerable<double>? expected, double absolute = 0, double relative = 0, double ofLargest = 0,
        bool nonFinite = false, string message = "", [CallerArgumentExpression(nameof(actual))] string what = "")
    {
        if (actual is null || expected is null)
        {
            Fail(message, what, $"{(actual is null ? "null" : "a sequence")} where {(expected is null ? "null" : "a sequence")} is expected");
            return;
        }
        double[] a = [.. actual], e = [.. expected];
        if (a.Length != e.Length) Fail(message, what, $"{a.Length} values where {e.Length} are expected");
        else Compare(a, e, i => $"[{i}]", new(absolute, relative, ofLargest, nonFinite), message, what);
    }

    [OverloadResolutionPriority(1)]
    public static void Close(IEnumerable<float>? actual, IEnumerable<float>? expected, double absolute = 0, double relative = 0, double ofLargest = 0,
        bool nonFinite = false, string message = "", [CallerArgumentExpression(nameof(actual))] string what = "") =>
        Close(actual?.Select(v => (double)v), expected?.Select(v => (double)v), absolute, relative, ofLargest, nonFinite, message, what);

    /// <summary>Shapes and types must be equal: a test that compares a wide reference says so with a conversion.</summary>
    public static void Close(torch.Tensor actual, torch.Tensor expected, double absolute = 0, double relative = 0, double ofLargest = 0, bool nonFinite = false,
        string message = "", [CallerArgumentExpression(nameof(actual))] string what = "")
    {
        long[] shape = actual.shape;
        if (!shape.SequenceEqual(expected.shape) || actual.dtype != expected.dtype)
            Fail(message, what, $"{actual.dtype} {Shape(shape)} where {expected.dtype} {Shape(expected.shape)} is expected");
        else
            Compare(Numbers(actual), Numbers(expected), Place, new(absolute, relative, ofLargest, nonFinite), message, what);

        string Place(int i)
        {
            var index = new long[shape.Length];
            long rest = i;
            for (int d = shape.Length - 1; d >= 0; d--) (rest, index[d]) = Math.DivRem(rest, shape[d]);
            return $"[{string.Join(", ", index)}]";
        }
    }

    public static void AllClose(IEnumerable<double>? actual, double expected, double absolute = 0, double relative = 0, string message = "",
        [CallerArgumentExpression(nameof(actual))] string what = "")
    {
        double[]? a = actual?.ToArray();
        Close(a, a?.Select(_ => expected), absolute, relative, message: message, what: what);
    }

    /// <summary>Further apart than <paramref name="by"/>, both finite.</summary>
    public static void Apart(double? actual, double? other, double by, string message = "", [CallerArgumentExpression(nameof(actual))] string what = "")
    {
        if (!(Finite(actual) && Finite(other) && Math.Abs(actual!.Value - other!.Value) > Tolerance.Checked(by, message, what)))
            Fail(message, what, $"{Show(actual)} where more than {Show(by)} from {Show(other)} is expected");
    }

    public static void Below(double? actual, double limit, string message = "", [CallerArgumentExpression(nameof(actual))] string what = "") =>
        Order(actual, actual < limit, "below", limit, message, what);

    public static void AtMost(double? actual, double limit, string message = "", [CallerArgumentExpression(nameof(actual))] string what = "") =>
        Order(actual, actual <= limit, "at most", limit, message, what);

    public static void Above(double? actual, double limit, string message = "", [CallerArgumentExpression(nameof(actual))] string what = "") =>
        Order(actual, actual > limit, "above", limit, message, what);

    public static void AtLeast(double? actual, double limit, string message = "", [CallerArgumentExpression(nameof(actual))] string what = "") =>
        Order(actual, actual >= limit, "at least", limit, message, what);

    public static void Between(double? actual, double low, double high, string message = "", [CallerArgumentExpression(nameof(actual))] string what = "")
    {
        AtLeast(actual, low, message, what);
        AtMost(actual, high, message, what);
    }

    public static void AllBetween<T>(IEnumerable<T> actual, double low, double high, string message = "",
        [CallerArgumentExpression(nameof(actual))] string what = "")
        where T : INumber<T>
    {
        double[] values = Some(actual, message, what);
        for (int i = 0; i < values.Length; i++) Between(values[i], low, high, message, $"{what}, [{i}]");
    }

    /// <summary>Each at least the one before, all finite.</summary>
    public static void Ascending<T>(IEnumerable<T> actual, string message = "", [CallerArgumentExpression(nameof(actual))] string what = "")
        where T : INumber<T>
    {
        double[] values = Some(actual, message, what);
        for (int i = 0; i < values.Length; i++) AtLeast(values[i], i == 0 ? double.MinValue : values[i - 1], message, $"{what}, [{i}]");
    }

    /// <summary>Each at most the one before, all finite.</summary>
    public static void Descending<T>(IEnumerable<T> actual, string message = "", [CallerArgumentExpression(nameof(actual))] string what = "")
        where T : INumber<T> =>
        Ascending(actual.Reverse(), message, what + ", reversed");

    private static double[] Some<T>(IEnumerable<T> actual, string message, string what)
        where T : INumber<T>
    {
        double[] values = [.. actual.Select(double.CreateChecked)];
        if (values.Length == 0) Fail(message, what, "nothing to compare");
        return values;
    }

    private static void Order(double? actual, bool holds, string relation, double limit, string message, string what)
    {
        if (!holds || !Finite(actual) || !double.IsFinite(limit)) Fail(message, what, $"{Show(actual)} where {relation} {Show(limit)} is expected");
    }

    private static void Compare(double[] actual, double[] expected, Func<int, string> place, Tolerance tolerance, string message, string what)
    {
        if (actual.Length == 0)
        {
            Fail(message, what, "nothing to compare");
            return;
        }
        tolerance.Check(message, what);
        double largest = expected.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max();
        int outside = 0, worst = -1;
        double worstExcess = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            double a = actual[i], e = expected[i];
            if (tolerance.NonFinite && !double.IsFinite(e) && a.Equals(e)) continue;
            double allowed = tolerance.At(e, largest);
            if (double.IsFinite(a) && double.IsFinite(e) && Math.Abs(a - e) <= allowed) continue;
            outside++;
            double excess = double.IsFinite(a) && double.IsFinite(e) ? Math.Abs(a - e) - allowed : double.PositiveInfinity;
            if (worst < 0 || excess > worstExcess) (worst, worstExcess) = (i, excess);
        }
        if (outside == 0) return;
        string where = place(worst);
        Fail(message, where.Length == 0 ? what : $"{what}, {where}",
            $"{Show(actual[worst])} where {Show(expected[worst])} is expected: {Show(Math.Abs(actual[worst] - expected[worst]))} apart, "
            + $"{Show(tolerance.At(expected[worst], largest))} allowed; {outside} of {actual.Length} outside");
    }

    private static double[] Numbers(torch.Tensor tensor)
    {
        // The library's accessor has no array of nothing.
        if (tensor.numel() == 0) return [];
        using var scope = torch.NewDisposeScope();
        return tensor.detach().to(torch.ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
    }

    private static bool Finite(double? value) => value is { } v && double.IsFinite(v);

    private static string Show(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "null";

    private static string Shape(long[] shape) => $"({string.Join(", ", shape)})";

    private static void Fail(string message, string what, string fault) => Assert.Fail(message.Length == 0 ? $"{what}: {fault}" : $"{message}: {what}: {fault}");

    private readonly record struct Tolerance(double Absolute, double Relative, double OfLargest, bool NonFinite)
    {
        /// <summary>A tolerance is often computed: one that is NaN or infinite would allow anything.</summary>
        public void Check(string message, string what)
        {
            _ = Checked(Absolute, message, what) + Checked(Relative, message, what) + Checked(OfLargest, message, what);
        }

        public static double Checked(double value, string message, string what)
        {
            if (!double.IsFinite(value) || value < 0) Fail(message, what, $"a tolerance of {Show(value)}");
            return value;
        }

        public double At(double expected, double largest) => Absolute + Relative * (double.IsFinite(expected) ? Math.Abs(expected) : 0) + OfLargest * largest;
    }
}
