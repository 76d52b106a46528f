namespace ChemScale.Kernels.Ptx;

/// <summary>Which products a device's compiler fuses with the sum that takes them: PTX leaves that open.</summary>
internal enum PtxRounding
{
    /// <summary>None: as the CPU rounds.</summary>
    Each,

    /// <summary>All that may be.</summary>
    Fused,

    /// <summary>Half of them, by the toss of a coin: what a kernel must be right for in any case.</summary>
    Mixed,
}

/// <summary>
/// Products and sums without a rounding of their own, made one instruction where the product's operands still stand: within straight code. The
/// product stays for its other users.
/// </summary>
internal static class PtxContraction
{
    public const string Add = "fma.rn";

    /// <summary>a b - c and c - a b: a device's instruction takes signs.</summary>
    public const string Less = "fma.less";

    public const string From = "fma.from";

    public static List<PtxLine> Apply(PtxText text, PtxRounding rounding, int seed)
    {
        if (rounding == PtxRounding.Each) return text.Lines;
        var random = new Random(seed);
        HashSet<int> starts = [.. text.Labels.Values];
        var products = new Dictionary<string, PtxLine>(StringComparer.Ordinal);
        var lines = new List<PtxLine>(text.Lines.Count);
        for (int i = 0; i < text.Lines.Count; i++)
        {
            PtxLine line = text.Lines[i];
            if (starts.Contains(i)) products.Clear();
            bool fuses = rounding == PtxRounding.Fused || random.Next(2) == 0;
            lines.Add(fuses ? Fused(line, products) : line);
            if (line.Opcode is "bra" or "bra.uni" or "ret") products.Clear();
            else if (!line.Opcode.StartsWith("st.", StringComparison.Ordinal) && line.Operands.Length > 0) Forget(products, PtxLine.Members(line.Operands[0]));
            // One whose result takes the place of an operand is gone when it is done.
            if (line.Opcode is "mul.f32" or "mul.f64" && line.Guard is null && !line.Operands.AsSpan(1).Contains(line.Operands[0]))
                products[line.Operands[0]] = line;
        }
        return lines;
    }

    private static PtxLine Fused(PtxLine line, Dictionary<string, PtxLine> products)
    {
        string[] o = line.Operands;
        string type = line.Opcode[(line.Opcode.LastIndexOf('.') + 1)..];
        if (line.Opcode is not ("add.f32" or "add.f64" or "sub.f32" or "sub.f64")) return line;
        bool sum = line.Opcode[0] == 'a';
        if (products.TryGetValue(o[1], out PtxLine? first))
            return line with { Opcode = $"{(sum ? Add : Less)}.{type}", Operands = [o[0], first.Operands[1], first.Operands[2], o[2]] };
        if (products.TryGetValue(o[2], out PtxLine? second))
            return line with { Opcode = $"{(sum ? Add : From)}.{type}", Operands = [o[0], second.Operands[1], second.Operands[2], o[1]] };
        return line;
    }

    private static void Forget(Dictionary<string, PtxLine> products, string[] written)
    {
        foreach (string register in written)
        {
            products.Remove(register);
            foreach ((string product, PtxLine line) in products)
                if (line.Operands.AsSpan(1).Contains(register)) products.Remove(product);
        }
    }
}
