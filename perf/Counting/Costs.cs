using System.Globalization;
using ChemScale.Kernels.Ptx;

namespace ChemScale.Perf.Counting;

/// <summary>What one PTX form costs.</summary>
/// <param name="Instructions">Of the machine, on average.</param>
/// <param name="Once">More of them that a kernel holds once.</param>
/// <param name="Unit">Where they run.</param>
/// <param name="Special">Turns of the special function unit.</param>
/// <param name="Outside">Instructions from which the loop is entered before which the assembler takes it; null: where it stands.</param>
internal readonly record struct Cost(double Instructions, double Once, string Unit, double Special, int[]? Outside = null)
{
    /// <summary>Nothing of its own: it goes into another instruction.</summary>
    public static Cost None => new(0, 0, "other", 0);
}

/// <summary>The table perf/counters/costs.tsv, and what it makes of a kernel.</summary>
internal sealed class Costs
{
    private const string Fused32 = "fused.f32", Fused64 = "fused.f64", FusedInteger = "fused.s32", Address = "address", Special = "special", Guarded = "bra.guarded",
        Kernel = "kernel", Half = "half", Literal32 = "mov.literal32", Literal64 = "mov.literal64", LongLiteral = "literal.f64";

    private readonly Dictionary<string, Cost> forms = new(StringComparer.Ordinal);

    private Costs()
    {
        using Stream stream = typeof(Costs).Assembly.GetManifestResourceStream("costs.tsv")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#') || line.StartsWith("form\t", StringComparison.Ordinal)) continue;
            string[] cells = line.Split('\t');
            forms.Add(cells[0], new Cost(Number(cells[1]), Number(cells[2]), cells[3], Number(cells[4])));
        }

        static double Number(string cell) => double.Parse(cell, CultureInfo.InvariantCulture);
    }

    public static Costs Table { get; } = new();

    /// <summary>Machine instructions of a kernel as it stands.</summary>
    public double Static(PtxText text)
    {
        Cost[] costs = Of(text);
        double once = text.Lines.Select(l => l.Opcode).Distinct().Sum(o => forms.GetValueOrDefault(o).Once);
        return Find(Kernel).Instructions + costs.Sum(c => c.Instructions) + once;
    }

    /// <summary>
    /// Of each instruction. Products and shifts whose sums take them in straight code cost nothing, nor does what was there already; what is the same in every
    /// round of a loop stands before it.
    /// </summary>
    /// <exception cref="KeyNotFoundException">A form that the table lacks.</exception>
    public Cost[] Of(PtxText text)
    {
        List<PtxLine> lines = text.Lines;
        HashSet<int> starts = [.. text.Labels.Values];
        var products = new Dictionary<string, int>(StringComparer.Ordinal);
        var costs = new Cost[lines.Count];
        var redundant = new Redundancy(text);
        HashSet<string> upper = new(StringComparer.Ordinal);
        HashSet<int> taken = [], kept = [];
        for (int i = 0; i < lines.Count; i++)
        {
            PtxLine line = lines[i];
            string[] o = line.Operands;
            if (starts.Contains(i)) products.Clear();
            int product = Taken(line, products, lines);
            if (product >= 0) taken.Add(product);
            bool store = line.Opcode.StartsWith("st.", StringComparison.Ordinal), branch = line.Opcode is "bra" or "bra.uni" or "ret";
            foreach (string operand in (store ? o : o.Skip(1)).Append(line.Guard ?? ""))
                foreach (string register in PtxLine.Members(operand.Trim('[', ']')))
                    if (products.TryGetValue(register.Split('+')[0], out int other) && other != product) kept.Add(other);
            costs[i] = Find(Form(line, product >= 0, upper)) with { Outside = redundant.Outside[i] };
            if (line.Opcode == "shl.b64" && o[2] == "32") upper.Add(o[0]);
            if (branch) products.Clear();
            else if (!store && o.Length > 0) Forget(products, lines, PtxLine.Members(o[0]));
            if (line.Guard is null && IsProduct(line.Opcode) && !o.AsSpan(1).Contains(o[0])) products[o[0]] = i;
        }
        foreach (int product in taken)
            if (!kept.Contains(product)) costs[product] = Cost.None with { Outside = costs[product].Outside };
        for (int i = 0; i < lines.Count; i++)
            costs[i] = redundant.Again[i] ? Cost.None : costs[i] with { Instructions = costs[i].Instructions + LongLiterals(lines[i]) * Find(LongLiteral).Instructions };
        return costs;
    }

    private Cost Find(string form) => form.StartsWith("ld.param", StringComparison.Ordinal) || form.StartsWith("cvta.", StringComparison.Ordinal)
        ? Cost.None
        : forms.TryGetValue(form, out Cost cost) ? cost : throw new KeyNotFoundException($"perf/counters/costs.tsv has no form '{form}'");

    /// <summary>An instruction holds the upper half of a float64 only: others take a move or two.</summary>
    private static int LongLiterals(PtxLine line) => line.Opcode.EndsWith(".f64", StringComparison.Ordinal) && line.Opcode.Split('.')[0] is not ("mov" or "ld" or "st")
        ? line.Operands.Skip(1).Count(o => o.StartsWith("0d", StringComparison.Ordinal) && !o.EndsWith("00000000", StringComparison.Ordinal))
        : 0;

    /// <param name="line">The instruction.</param>
    /// <param name="fused">It takes a product.</param>
    /// <param name="upper">Registers that hold something in their upper halves only.</param>
    private static string Form(PtxLine line, bool fused, HashSet<string> upper) => line.Opcode switch
    {
        "add.f32" or "sub.f32" when fused => Fused32,
        "add.f64" or "sub.f64" when fused => Fused64,
        "add.s32" or "sub.s32" when fused => FusedInteger,
        "add.u64" or "add.s64" when fused => Address,
        "mov.b32" when line.Operands[1] is ['%', ..] register && register.Contains('.') => Special,
        "mov.b32" when line.Operands[1] == "%dynamic_smem_size" => Special,
        "mov.b32" or "mov.f32" when line.Operands[1][0] != '%' => Literal32,
        "mov.b64" or "mov.f64" when line.Operands[1][0] != '%' => Literal64,
        // Halves of 64 bits have names of their own.
        "shl.b64" or "shr.u64" when line.Operands[2] == "32" => Half,
        "and.b64" when line.Operands[2] == "4294967295" => Half,
        "or.b64" when line.Operands.Skip(1).Any(upper.Contains) => Half,
        "bra" or "bra.uni" => line.Guard is null ? "bra" : Guarded,
        _ => line.Opcode,
    };

    private static bool IsProduct(string opcode) => opcode is "mul.f32" or "mul.f64" or "mul.wide.u32" or "mul.lo.s32" or "shl.b32";

    /// <summary>The product that a sum takes; negative: none.</summary>
    private static int Taken(PtxLine line, Dictionary<string, int> products, List<PtxLine> lines)
    {
        string[] wanted = line.Opcode switch
        {
            "add.f32" or "sub.f32" => ["mul.f32"],
            "add.f64" or "sub.f64" => ["mul.f64"],
            "add.u64" or "add.s64" => ["mul.wide.u32"],
            "add.s32" or "sub.s32" => ["mul.lo.s32", "shl.b32"],
            _ => [],
        };
        // Addresses and integers: the second operand first, as the compiler writes it.
        foreach (int k in wanted is ["mul.f32" or "mul.f64"] ? (int[])[1, 2] : [2, 1])
            if (wanted.Length > 0 && products.TryGetValue(line.Operands[k], out int product) && wanted.Contains(lines[product].Opcode)) return product;
        return -1;
    }

    private static void Forget(Dictionary<string, int> products, List<PtxLine> lines, string[] written)
    {
        foreach (string register in written)
        {
            products.Remove(register);
            foreach ((string product, int at) in products)
                if (lines[at].Opcode is "mul.f32" or "mul.f64" && lines[at].Operands.AsSpan(1).Contains(register)) products.Remove(product);
        }
    }
}
