namespace ChemScale.Engine.Models;

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
