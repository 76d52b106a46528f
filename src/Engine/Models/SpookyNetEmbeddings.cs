using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>An element's features: a row of its own, and a linear function of its electron configuration, which relates elements.</summary>
internal sealed class NuclearEmbedding : IDisposable
{
    private readonly Dense config;
    private readonly Tensor electrons;

    public NuclearEmbedding(ModulePath at, int rows, int features, ParameterInit init, ScalarType dtype, Device? device)
    {
        Table = at.Add("element_embedding", init.Normal(rows, features));
        config = at.Add("config_linear", new Dense(ElectronConfiguration.Columns, features, init, bias: false));
        electrons = tensor(ElectronConfiguration.Table(rows), dtype: dtype, device: device).DetachFromDisposeScope();
    }

    /// <summary>(rows, F)</summary>
    public Parameter Table { get; }

    /// <summary>(rows, 20)</summary>
    public Tensor Electrons => electrons;

    /// <summary>As <see cref="Operators.SpookyNet.SpookyNetEnergies"/> has them.</summary>
    public IEnumerable<Tensor> Weights => [Table, config.Weight];

    public static long Count(long rows, long features) => rows * features + Dense.Count(ElectronConfiguration.Columns, features, bias: false);

    /// <param name="atomicNumbers">(atoms) int64</param>
    /// <returns>(atoms, F)</returns>
    public Tensor Forward(Tensor atomicNumbers)
    {
        using DisposeScope scope = NewDisposeScope();
        return (Table + config.Forward(electrons)).index_select(0, atomicNumbers).MoveToOuterDisposeScope();
    }

    public void Dispose() => electrons.Dispose();
}

/// <summary>
/// Tells the atoms of a frame its total charge or spin (Unke et al. 2021, equation 10): each takes a share that depends on its element;
/// the shares add up to one. A frame without charge or spin gives zero, exactly.
/// </summary>
internal sealed class ElectronicEmbedding
{
    private const double SumFloor = 1e-8;

    private readonly bool isCharge;
    private readonly Dense query;
    private readonly Dense key;
    private readonly Dense value;
    private readonly ResidualMlp block;

    /// <param name="at">Where its tensors go.</param>
    /// <param name="features">F</param>
    /// <param name="isCharge">Whether either sign has a direction of its own; else the sign does not matter.</param>
    /// <param name="init">Makes the parameters.</param>
    public ElectronicEmbedding(ModulePath at, int features, bool isCharge, ParameterInit init)
    {
        this.isCharge = isCharge;
        int signs = isCharge ? 2 : 1;
        query = at.Add("linear_q", new Dense(features, features, init));
        key = at.Add("linear_k", new Dense(signs, features, init, bias: false));
        value = at.Add("linear_v", new Dense(signs, features, init, bias: false));
        block = new ResidualMlp(at.At("resblock"), features, init, bias: false);
    }

    public IEnumerable<Tensor> Weights => [query.Weight, query.Bias!, key.Weight, value.Weight, .. block.Weights];

    public static long Count(long features, bool isCharge) =>
        Dense.Count(features, features) + 2 * Dense.Count(isCharge ? 2 : 1, features, bias: false) + ResidualMlp.Count(features, bias: false);

    /// <param name="elements">(atoms, F)</param>
    /// <param name="amounts">(frames) charge or unpaired electrons</param>
    /// <param name="frameOfAtom">(atoms) int64</param>
    /// <returns>(atoms, F)</returns>
    public Tensor Forward(Tensor elements, Tensor amounts, Tensor frameOfAtom)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor e = (isCharge ? stack([amounts, -amounts], 1).relu() : amounts.abs().unsqueeze(1)).to(elements.dtype);
        Tensor k = key.Forward(e / e.clamp(min: 1)), v = value.Forward(e);
        Tensor scores = (query.Forward(elements) * k.index_select(0, frameOfAtom)).sum(1) / Math.Sqrt(elements.shape[1]);
        Tensor a = nn.functional.softplus(scores);
        Tensor total = zeros(amounts.shape[0], dtype: a.dtype, device: a.device).index_add(0, frameOfAtom, a, 1) + SumFloor;
        Tensor share = (a / total.index_select(0, frameOfAtom)).unsqueeze(1);
        return block.Forward(share * v.index_select(0, frameOfAtom)).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Electrons of the neutral atoms in their ground states, as twenty numbers: Z; the occupation of 1s 2s 2p 3s 3p 4s 3d 4p 5s 4d 5p 6s 4f 5d
/// 6p; and of the valence s, p, d, f, those beyond the noble gas before (Unke et al. 2021, after NIST).
/// </summary>
internal static class ElectronConfiguration
{
    /// <summary>Radon.</summary>
    public const int MaxAtomicNumber = 86;

    public const int Columns = 20;

    private static readonly (int N, int L)[] Subshells =
    [
        (1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (4, 0), (3, 2), (4, 1), (5, 0), (4, 2), (5, 1), (6, 0), (4, 3), (5, 2), (6, 1),
    ];

    /// <summary>Where an electron, or two, is not in the subshell the order of filling says: how many, from and to which.</summary>
    private static readonly Dictionary<int, (int Electrons, (int N, int L) From, (int N, int L) To)> Exceptions = new()
    {
        [24] = (1, (4, 0), (3, 2)),
        [29] = (1, (4, 0), (3, 2)),
        [41] = (1, (5, 0), (4, 2)),
        [42] = (1, (5, 0), (4, 2)),
        [44] = (1, (5, 0), (4, 2)),
        [45] = (1, (5, 0), (4, 2)),
        [46] = (2, (5, 0), (4, 2)),
        [47] = (1, (5, 0), (4, 2)),
        [57] = (1, (4, 3), (5, 2)),
        [58] = (1, (4, 3), (5, 2)),
        [64] = (1, (4, 3), (5, 2)),
        [78] = (1, (6, 0), (5, 2)),
        [79] = (1, (6, 0), (5, 2)),
    };

    /// <summary>(rows, 20) A row for each atomic number from 0, each column divided by its greatest value up to radon.</summary>
    /// <param name="rows">At most 87.</param>
    public static double[,] Table(int rows)
    {
        double[][] all = [.. Enumerable.Range(0, MaxAtomicNumber + 1).Select(Row)];
        var table = new double[rows, Columns];
        for (int column = 0; column < Columns; column++)
        {
            double greatest = all.Max(row => row[column]);
            for (int z = 0; z < rows; z++) table[z, column] = all[z][column] / greatest;
        }
        return table;
    }

    private static double[] Row(int z)
    {
        var row = new double[Columns];
        row[0] = z;
        int left = z;
        for (int s = 0; s < Subshells.Length; s++)
        {
            int filled = Math.Min(left, 4 * Subshells[s].L + 2);
            row[1 + s] = filled;
            left -= filled;
        }
        if (Exceptions.TryGetValue(z, out (int Electrons, (int N, int L) From, (int N, int L) To) moved))
        {
            row[1 + Array.IndexOf(Subshells, moved.From)] -= moved.Electrons;
            row[1 + Array.IndexOf(Subshells, moved.To)] += moved.Electrons;
        }
        int period = ((int[])[2, 10, 18, 36, 54]).Count(nobleGas => z > nobleGas) + 1;
        // A period fills its own s and p, the d of the one before and the f of the one before that.
        for (int s = 0; s < Subshells.Length; s++)
        {
            (int n, int l) = Subshells[s];
            if (n + Math.Max(0, l - 1) == period) row[1 + Subshells.Length + l] = row[1 + s];
        }
        return row;
    }
}
