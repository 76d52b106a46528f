using System.Reflection;
using NUnit.Framework;
using NUnit.Framework.Constraints;
using NUnit.Framework.Internal;
using TorchSharp;

namespace ChemScale.Tests.House;

/// <summary>What an assertion may not be: one that NaN, nothing, or a broadcast shape passes.</summary>
public class AssertionTests
{
    /// <summary>Members of NUnit by name, whatever they hang on (Is, Has, .And, .Some): they order NaN below everything, or take two NaN as equal.</summary>
    private static readonly HashSet<string> Members = new(StringComparer.Ordinal)
    {
        "LessThan", "LessThanOrEqualTo", "AtMost", "GreaterThan", "GreaterThanOrEqualTo", "AtLeast", "InRange", "Within", "WithinConfiguredTolerance",
        "get_Positive", "get_Negative", "get_Ordered", "get_Percent", "get_Ulps", "get_DefaultFloatingPointTolerance",
    };

    private static readonly Type[] Constraints = [typeof(ComparisonConstraint), typeof(RangeConstraint), typeof(CollectionOrderedConstraint), typeof(Tolerance)];

    [Test]
    public void Numbers_are_compared_by_Expect()
    {
        string[] found = [.. typeof(AssertionTests).Assembly.GetTypes().Where(t => t != typeof(Bait)).SelectMany(Banned)];
        Assert.That(found, Is.Empty, "NaN passes these: see Expect");
    }

    [Test]
    public void Each_way_to_name_a_banned_constraint_is_seen() => Assert.That(Banned(typeof(Bait)).Distinct().Count(), Is.EqualTo(Bait.Uses));

    [TestCaseSource(nameof(Failing))]
    public void Expect_fails(string _, Action comparison)
    {
        using (new TestExecutionContext.IsolatedContext()) Assert.That(comparison, Throws.TypeOf<AssertionException>());
    }

    [Test]
    public void Expect_names_the_worst_place()
    {
        using var scope = torch.NewDisposeScope();
        torch.Tensor expected = torch.zeros(2, 3, dtype: torch.ScalarType.Float64), actual = expected.clone();
        actual[0, 1] = 1e-3;
        actual[1, 2] = -0.5;
        using (new TestExecutionContext.IsolatedContext())
        {
            Assert.That(() => Expect.Close(actual, expected, absolute: 1e-6, message: "logits"), Throws.TypeOf<AssertionException>()
                .With.Message.Contains("logits: actual, [1, 2]: -0.5 where 0 is expected: 0.5 apart, 1E-06 allowed; 2 of 6 outside"));
        }
    }

    [Test]
    public void Expect_passes_what_is_within_its_tolerance()
    {
        Expect.Close(1 + 1e-13, 1, absolute: 1e-12);
        Expect.Close(-1001, -1000, relative: 0.002);
        Expect.Close([1e-3, 1000], [0, 1000], ofLargest: 1e-5);
        Expect.Close([double.NaN, 1, double.PositiveInfinity], [double.NaN, 1, double.PositiveInfinity], nonFinite: true);
        Expect.AllClose([1, 1.1], 1, absolute: 0.2);
        Expect.Apart(1, 2, by: 0.5);
        Expect.Below(1, 2);
        Expect.AtMost(2, 2);
        Expect.Above(1L << 40, 2);
        Expect.AtLeast(2, 2);
        Expect.Ascending([1, 1, 2]);
        Expect.Descending([2.5, 1, 1]);
    }

    private static IEnumerable<TestCaseData> Failing()
    {
        const double NaN = double.NaN, Infinity = double.PositiveInfinity;
        (string, Action)[] cases =
        [
            ("NaN", () => Expect.Close(NaN, 0, absolute: 1)),
            ("expected NaN", () => Expect.Close(0, NaN, absolute: 1)),
            ("two NaN", () => Expect.Close(NaN, NaN, absolute: 1)),
            ("two infinities", () => Expect.Close(Infinity, Infinity, absolute: 1)),
            ("infinities of two signs", () => Expect.Close([-Infinity], [Infinity], nonFinite: true)),
            ("NaN elsewhere", () => Expect.Close([1, NaN], [NaN, 1], absolute: 1, nonFinite: true)),
            ("infinity", () => Expect.Close(Infinity, 0, relative: 1)),
            ("null", () => Expect.Close((double?)null, 0, absolute: 1)),
            ("null twice", () => Expect.Close((double[]?)null, null, absolute: 1)),
            ("a tolerance of NaN", () => Expect.Close(1, 1, absolute: NaN)),
            ("an infinite tolerance", () => Expect.Close(1, 2, absolute: Infinity)),
            ("a negative tolerance", () => Expect.Close(1, 1, relative: -1)),
            ("outside", () => Expect.Close(1.1, 1, absolute: 0.05)),
            ("outside relatively", () => Expect.Close([1e-3, 1000], [0, 1000], relative: 1e-5)),
            ("without a tolerance", () => Expect.Close(Math.BitIncrement(1.0), 1)),
            ("lengths", () => Expect.Close([1.0], [1.0, 2], absolute: 10)),
            ("nothing", () => Expect.Close((double[])[], [], absolute: 1)),
            ("floats", () => Expect.Close([1f], [1.5f], absolute: 0.1)),
            ("all", () => Expect.AllClose([1, NaN], 1, absolute: 1)),
            ("all of nothing", () => Expect.AllClose([], 1, absolute: 1)),
            ("shapes that broadcast", () => Tensors(t => Expect.Close(t, t[0], absolute: 1))),
            ("shapes of as many", () => Tensors(t => Expect.Close(t, t.view(3, 2), absolute: 1))),
            ("types", () => Tensors(t => Expect.Close(t.to(torch.ScalarType.Float32), t, absolute: 1))),
            ("a tensor of nothing", () => Tensors(t => Expect.Close(t[..0], t[..0], absolute: 1))),
            ("NaN in a tensor", () => Tensors(t => Expect.Close(t / 0, t, absolute: 1))),
            ("NaN in both tensors", () => Tensors(t => Expect.Close(t / 0, t / 0, absolute: 1))),
            ("NaN apart", () => Expect.Apart(NaN, 1, by: 0.5)),
            ("not apart", () => Expect.Apart(1, 1.2, by: 0.5)),
            ("NaN below", () => Expect.Below(NaN, 1)),
            ("below NaN", () => Expect.Below(1, NaN)),
            ("below itself", () => Expect.Below(1, 1)),
            ("below infinity", () => Expect.Below(1, Infinity)),
            ("minus infinity below", () => Expect.Below(-Infinity, 1)),
            ("NaN at most", () => Expect.AtMost(NaN, 1)),
            ("NaN above", () => Expect.Above(NaN, 1)),
            ("above NaN", () => Expect.Above(1, NaN)),
            ("infinity above", () => Expect.Above(Infinity, 1)),
            ("NaN at least", () => Expect.AtLeast(1, NaN)),
            ("NaN between", () => Expect.Between(NaN, 0, 1)),
            ("all between", () => Expect.AllBetween([0, NaN], 0, 1)),
            ("all of nothing between", () => Expect.AllBetween((int[])[], 0, 1)),
            ("ascending", () => Expect.Ascending([NaN, 1, 2])),
            ("descending", () => Expect.Descending([2, 1, NaN])),
            ("nothing ascending", () => Expect.Ascending((int[])[])),
        ];
        return cases.Select(c => new TestCaseData(c.Item1, c.Item2).SetArgDisplayNames(c.Item1));

        static void Tensors(Action<torch.Tensor> check)
        {
            using var scope = torch.NewDisposeScope();
            check(torch.zeros(2, 3, dtype: torch.ScalarType.Float64));
        }
    }

    private static IEnumerable<string> Banned(Type type) =>
        from use in References.Methods(type)
        where IsBanned(use.Called)
        select $"{type.FullName}.{use.In.Name}: {use.Called.DeclaringType!.Name}.{use.Called.Name}";

    private static bool IsBanned(MethodBase called) => called.DeclaringType is { } declaring
        && (declaring.Namespace?.StartsWith("NUnit.Framework", StringComparison.Ordinal) == true
            ? Members.Contains(called.Name) || declaring.Namespace == "NUnit.Framework.Legacy" || Constraints.Any(c => c.IsAssignableFrom(declaring))
            : declaring.Assembly == typeof(torch).Assembly && called.Name is "allclose" or "isclose");

    private static class Bait
    {
        public const int Uses = 9;

        public static IConstraint One() => Is.LessThan(1);

        public static IConstraint Negated() => Is.Not.GreaterThan(1);

        public static IConstraint Chained() => Has.Length.AtMost(3);

        public static IConstraint Both() => Is.EqualTo(1).Or.InRange(1, 2);

        public static IConstraint Tolerant() => Is.EqualTo(1.0).Within(2);

        public static IConstraint Sorted() => Is.Ordered;

        public static IConstraint Made() => new LessThanConstraint(2);

        public static Func<object, IConstraint> Taken() => Is.GreaterThan;

        public static bool Broadcast(torch.Tensor a, torch.Tensor b) => a.allclose(b);
    }
}
