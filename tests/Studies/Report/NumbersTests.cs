using ChemScale.Engine.Studies.Summary;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Report;

public class NumbersTests
{
    [TestCase(1.23456, ExpectedResult = "1.235")]
    [TestCase(9.9996, ExpectedResult = "10.00")]
    [TestCase(-0.0123456, ExpectedResult = "−0.01235")]
    [TestCase(12345.6, ExpectedResult = "12,346")]
    [TestCase(0.00012, ExpectedResult = "1.200×10^−4")]
    [TestCase(6.02e23, ExpectedResult = "6.020×10^23")]
    [TestCase(0, ExpectedResult = "0")]
    [TestCase(double.NaN, ExpectedResult = "–")]
    [TestCase(null, ExpectedResult = "–")]
    public string Measured_values_have_four_digits(double? value) => Numbers.Significant(value);

    [TestCase(0.001, ExpectedResult = "0.001")]
    [TestCase(0.0005, ExpectedResult = "5×10^−4")]
    [TestCase(0.0001, ExpectedResult = "10^−4")]
    [TestCase(0.00025, ExpectedResult = "2.5×10^−4")]
    [TestCase(100, ExpectedResult = "100")]
    [TestCase(2500, ExpectedResult = "2,500")]
    [TestCase(-1e9, ExpectedResult = "−10^9")]
    public string Chosen_values_drop_zeros(double value) => Numbers.Short(value);

    [TestCase(1.23456, 0.0123, ExpectedResult = "1.235 ± 0.012")]
    [TestCase(1.23456, 0.0997, ExpectedResult = "1.23 ± 0.10")]
    [TestCase(1.23456, null, ExpectedResult = "1.235")]
    [TestCase(1.23456, double.NaN, ExpectedResult = "1.235")]
    [TestCase(1234.6, 25, ExpectedResult = "1,235 ± 25")]
    [TestCase(null, 0.1, ExpectedResult = "–")]
    public string Errors_have_two_digits(double? value, double? error) => Numbers.PlusMinus(value, error);

    [TestCase(0.0123, ExpectedResult = "0.012 s")]
    [TestCase(9.97, ExpectedResult = "10 s")]
    [TestCase(59.7, ExpectedResult = "1 min 00 s")]
    [TestCase(185, ExpectedResult = "3 min 05 s")]
    [TestCase(7799, ExpectedResult = "2 h 10 min")]
    [TestCase(double.NaN, ExpectedResult = "–")]
    public string Times_are_words(double seconds) => Numbers.Duration(seconds).Replace('\u00A0', ' ');

    [TestCase(-0.0001, 1.2, ExpectedResult = "0.000")]
    [TestCase(-0.0123, 1.2, ExpectedResult = "−0.012")]
    [TestCase(-0.0123, 0.02, ExpectedResult = "−0.01230")]
    public string Differences_have_the_decimals_of_the_values(double difference, double like) => Numbers.Difference(difference, like);
}
