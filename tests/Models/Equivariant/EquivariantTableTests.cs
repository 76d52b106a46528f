using System.Globalization;
using ChemScale.Engine.Models.Equivariant;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models.Equivariant;

public class EquivariantTableTests
{
    private static readonly (int L1, int L2, int L3)[] Triples =
    [
        .. from a in Enumerable.Range(0, 4) from b in Enumerable.Range(0, 4) from c in Enumerable.Range(0, 4)
           where c >= Math.Abs(a - b) && c <= a + b select (a, b, c),
    ];

    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "e3nn_tables*.npz"])]
    public void Spherical_harmonics_match_the_reference(string path)
    {
        var file = new NpzFile(path);
        int compared = 0;
        (string Name, HarmonicScale Scale, string Vectors)[] kinds =
        [
            ("sh_component", HarmonicScale.Component, "vec"), ("sh_norm", HarmonicScale.Unit, "vec"), ("sh_integral", HarmonicScale.Integral, "vec"),
            ("sh_component_solid", HarmonicScale.Component, "vec_len"),
        ];
        foreach ((string name, HarmonicScale scale, string vectors) in kinds)
        {
            using var scope = NewDisposeScope();
            int orders = Enumerable.Range(0, 12).TakeWhile(l => file.Has($"{name}_l{l}")).Count();
            if (orders == 0) continue;
            using var harmonics = new SphericalHarmonics(orders - 1, scale, ScalarType.Float64);
            Tensor all = harmonics.Of(file.Tensor(vectors));
            for (int l = 0; l < orders; l++)
            {
                Tensor expected = file.Tensor($"{name}_l{l}");
                Expect.Close(all.narrow(1, l * l, 2 * l + 1), expected, absolute: 1e-12, ofLargest: 1e-12, message: $"{name}, l = {l}");
                compared++;
            }
        }
        Expect.Above(compared, 0);
    }

    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "e3nn_tables*.npz"])]
    public void Coupling_tensors_match_the_reference(string path)
    {
        var file = new NpzFile(path);
        string[] names = [.. file.Names.Where(n => n.StartsWith("w3j_", StringComparison.Ordinal))];
        Assert.That(names, Is.Not.Empty);
        foreach (string name in names)
        {
            int[] l = [.. name[4..].Select(c => int.Parse(c.ToString(), CultureInfo.InvariantCulture))];
            double[] ours = [.. Wigner3j.Of(l[0], l[1], l[2]).Cast<double>()];
            Expect.Close(ours, file.Doubles(name), absolute: 1e-14, message: name);
        }
    }

    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "e3nn_tables*.npz"])]
    public void Harmonics_turn_by_the_reference_matrices(string path)
    {
        using var scope = NewDisposeScope();
        var file = new NpzFile(path);
        using var harmonics = new SphericalHarmonics(3, HarmonicScale.Component, ScalarType.Float64);
        Tensor vectors = file.Tensor("vec"), rotations = file.Tensor("rot"), before = harmonics.Of(vectors);
        for (int r = 0; r < rotations.shape[0]; r++)
        {
            Tensor after = harmonics.Of(vectors.matmul(rotations.select(0, r).t()));
            for (int l = 0; l <= 3; l++)
            {
                Tensor turned = before.narrow(1, l * l, 2 * l + 1).matmul(file.Tensor($"D_l{l}").select(0, r).t());
                Expect.Close(after.narrow(1, l * l, 2 * l + 1), turned, absolute: 1e-13, message: $"l = {l}");
            }
        }
    }

    [Test]
    public void Harmonics_have_their_norm_and_are_orthogonal()
    {
        using var scope = NewDisposeScope();
        using var harmonics = new SphericalHarmonics(4, HarmonicScale.Integral, ScalarType.Float64);
        // Gauss-Legendre in y and equal angles about it integrate products up to degree 8 exactly.
        (double[] nodes, double[] weights) = GaussLegendre.Rule(8);
        var points = new List<double>();
        var measure = new List<double>();
        for (int i = 0; i < nodes.Length; i++)
        {
            for (int a = 0; a < 16; a++)
            {
                double angle = 2 * Math.PI * a / 16, ring = Math.Sqrt(1 - nodes[i] * nodes[i]);
                points.AddRange([ring * Math.Sin(angle), nodes[i], ring * Math.Cos(angle)]);
                measure.Add(weights[i] * 2 * Math.PI / 16);
            }
        }
        Tensor y = harmonics.Of(tensor(points.ToArray()).view(-1, 3));
        Tensor overlap = (y * tensor(measure.ToArray()).unsqueeze(1)).t().matmul(y);
        Expect.Close(overlap, eye(25, dtype: ScalarType.Float64), absolute: 1e-13);
    }

    [TestCaseSource(nameof(Triples))]
    public void A_coupling_tensor_couples_harmonics_to_a_scalar_that_no_rotation_changes((int L1, int L2, int L3) order)
    {
        using var scope = NewDisposeScope();
        using var harmonics = new SphericalHarmonics(3, HarmonicScale.Component, ScalarType.Float64);
        var random = new Random(7);
        double[] vectors = [.. Enumerable.Range(0, 9).Select(_ => random.NextDouble() - 0.5)];
        Tensor v = tensor(vectors).view(3, 3), w = tensor([.. Wigner3j.Of(order.L1, order.L2, order.L3).Cast<double>()])
            .view(2 * order.L1 + 1, 2 * order.L2 + 1, 2 * order.L3 + 1);
        Expect.Close((w * w).sum().item<double>(), 1, absolute: 1e-14);
        Expect.Close(Invariant(v.matmul(Rotations.Proper(11).t())), Invariant(v), absolute: 1e-14);

        double Invariant(Tensor at)
        {
            Tensor y = harmonics.Of(at);
            return einsum("abc,a,b,c->", w, Order(y, 0, order.L1), Order(y, 1, order.L2), Order(y, 2, order.L3)).item<double>();
        }

        static Tensor Order(Tensor y, long row, int l) => y.select(0, row).narrow(0, l * l, 2 * l + 1);
    }

    [Test]
    public void Orders_that_break_the_triangle_rule_are_refused() =>
        Assert.That(() => Wigner3j.Of(1, 1, 3), Throws.TypeOf<ArgumentOutOfRangeException>());
}
