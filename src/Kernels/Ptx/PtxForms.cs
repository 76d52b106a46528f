namespace ChemScale.Kernels.Ptx;

/// <summary>What an instruction form does, and the widths of its operands: bytes of a lane, 1 for predicates, 0 for none.</summary>
internal readonly unsafe record struct PtxForm(nint Function, int Result, int A, int B = 0, int C = 0)
{
    public delegate*<PtxInstruction, byte*, uint, void> Run => (delegate*<PtxInstruction, byte*, uint, void>)Function;
}

/// <summary>The instruction forms that kernels hold, but for branches, barriers, shuffles, matrix products, loads and stores.</summary>
internal static unsafe class PtxForms
{
    private static readonly Dictionary<string, PtxForm> Known = new(StringComparer.Ordinal);

    static PtxForms()
    {
        Floats<float>("f32", 4);
        Floats<double>("f64", 8);
        Integers();
        Comparisons();
        Conversions();
        Add("mov.b32", &PtxLanes.Move<uint>, 4, 4);
        Add("mov.f32", &PtxLanes.Move<uint>, 4, 4);
        Add("mov.b64", &PtxLanes.Move<ulong>, 8, 8);
        Add("mov.f64", &PtxLanes.Move<ulong>, 8, 8);
        Add("cvta.to.global.u64", &PtxLanes.Move<ulong>, 8, 8);
        Add("ld.param.b32", &PtxLanes.Move<uint>, 4, 4);
        Add("ld.param.f32", &PtxLanes.Move<uint>, 4, 4);
        Add("ld.param.b64", &PtxLanes.Move<ulong>, 8, 8);
        Add("ld.param.f64", &PtxLanes.Move<ulong>, 8, 8);
        Add("mov.pred", &PtxLanes.MovePredicate, 1, 1);
        Add("and.pred", &PtxLanes.AndPredicate, 1, 1, 1);
        Add("or.pred", &PtxLanes.OrPredicate, 1, 1, 1);
        Add("selp.b32", &PtxLanes.Select<uint>, 4, 4, 4, 1);
        Add("selp.b64", &PtxLanes.Select<ulong>, 8, 8, 8, 1);
    }

    public static bool TryGet(string opcode, out PtxForm form) => Known.TryGetValue(opcode, out form);

    private static void Floats<T>(string type, int width)
        where T : unmanaged
    {
        // With a rounding they may not be fused; what is fused: PtxContraction.
        foreach (string rounding in (string[])["", ".rn"])
        {
            Add($"add{rounding}.{type}", &PtxLanes.Binary<T, Sum<T>>, width, width, width);
            Add($"sub{rounding}.{type}", &PtxLanes.Binary<T, Difference<T>>, width, width, width);
            Add($"mul{rounding}.{type}", &PtxLanes.Binary<T, Product<T>>, width, width, width);
        }
        Add($"div.rn.{type}", &PtxLanes.Binary<T, Quotient<T>>, width, width, width);
        Add($"rcp.rn.{type}", &PtxLanes.Unary<T, Reciprocal<T>>, width, width);
        Add($"sqrt.rn.{type}", &PtxLanes.Unary<T, Root<T>>, width, width);
        Add($"neg.{type}", &PtxLanes.Unary<T, Negative<T>>, width, width);
        Add($"{PtxContraction.Add}.{type}", &PtxLanes.Ternary<T, Fused<T>>, width, width, width, width);
        Add($"{PtxContraction.Less}.{type}", &PtxLanes.Ternary<T, FusedLess<T>>, width, width, width, width);
        Add($"{PtxContraction.From}.{type}", &PtxLanes.Ternary<T, FusedFrom<T>>, width, width, width, width);
    }

    private static void Integers()
    {
        Add("add.s32", &PtxLanes.Binary<uint, Sum<uint>>, 4, 4, 4);
        Add("add.s64", &PtxLanes.Binary<ulong, Sum<ulong>>, 8, 8, 8);
        Add("add.u64", &PtxLanes.Binary<ulong, Sum<ulong>>, 8, 8, 8);
        Add("sub.s32", &PtxLanes.Binary<uint, Difference<uint>>, 4, 4, 4);
        Add("sub.s64", &PtxLanes.Binary<ulong, Difference<ulong>>, 8, 8, 8);
        Add("neg.s32", &PtxLanes.Unary<int, Negative<int>>, 4, 4);
        Add("mul.lo.s32", &PtxLanes.Binary<uint, Product<uint>>, 4, 4, 4);
        Add("mul.wide.u32", &PtxLanes.WideProduct, 8, 4, 4);
        Add("mad.lo.u64", &PtxLanes.Ternary<ulong, ProductSum<ulong>>, 8, 8, 8, 8);
        Add("div.s32", &PtxLanes.Divide<int, SignedQuotient>, 4, 4, 4);
        Add("div.u32", &PtxLanes.Divide<uint, UnsignedQuotient>, 4, 4, 4);
        Add("rem.s32", &PtxLanes.Divide<int, SignedRemainder>, 4, 4, 4);
        Add("and.b32", &PtxLanes.Binary<uint, Both<uint>>, 4, 4, 4);
        Add("and.b64", &PtxLanes.Binary<ulong, Both<ulong>>, 8, 8, 8);
        Add("or.b32", &PtxLanes.Binary<uint, Either<uint>>, 4, 4, 4);
        Add("or.b64", &PtxLanes.Binary<ulong, Either<ulong>>, 8, 8, 8);
        Add("shl.b32", &PtxLanes.Shift<uint, Left<uint>>, 4, 4, 4);
        Add("shl.b64", &PtxLanes.Shift<ulong, Left<ulong>>, 8, 8, 4);
        Add("shr.s32", &PtxLanes.Shift<int, Right<int>>, 4, 4, 4);
        Add("shr.s64", &PtxLanes.Shift<long, Right<long>>, 8, 8, 4);
        Add("shr.u32", &PtxLanes.Shift<uint, Right<uint>>, 4, 4, 4);
        Add("shr.u64", &PtxLanes.Shift<ulong, Right<ulong>>, 8, 8, 4);
    }

    private static void Comparisons()
    {
        Orders<int>("s32", 4);
        Orders<long>("s64", 8);
        Orders<float>("f32", 4);
        Orders<double>("f64", 8);
        Unordered<float>("f32", 4);
        Unordered<double>("f64", 8);
        Not<int>("s32", 4);
        Not<long>("s64", 8);
        Not<uint>("u32", 4);
        Add("setp.eq.u32", &PtxLanes.Compare<uint, Equal<uint>>, 1, 4, 4);
        Add("setp.lo.u32", &PtxLanes.Compare<uint, Less<uint>>, 1, 4, 4);
        Add("setp.hi.u32", &PtxLanes.Compare<uint, Greater<uint>>, 1, 4, 4);
        Add("setp.hs.u32", &PtxLanes.Compare<uint, GreaterOrEqual<uint>>, 1, 4, 4);
        Add("setp.ls.u32", &PtxLanes.Compare<uint, LessOrEqual<uint>>, 1, 4, 4);

        static void Orders<T>(string type, int width)
            where T : unmanaged
        {
            Add($"setp.lt.{type}", &PtxLanes.Compare<T, Less<T>>, 1, width, width);
            Add($"setp.le.{type}", &PtxLanes.Compare<T, LessOrEqual<T>>, 1, width, width);
            Add($"setp.gt.{type}", &PtxLanes.Compare<T, Greater<T>>, 1, width, width);
            Add($"setp.ge.{type}", &PtxLanes.Compare<T, GreaterOrEqual<T>>, 1, width, width);
            Add($"setp.eq.{type}", &PtxLanes.Compare<T, Equal<T>>, 1, width, width);
        }

        // Also true where an operand is NaN: not the opposite.
        static void Unordered<T>(string type, int width)
            where T : unmanaged
        {
            Add($"setp.ltu.{type}", &PtxLanes.Compare<T, Not<T, GreaterOrEqual<T>>>, 1, width, width);
            Add($"setp.leu.{type}", &PtxLanes.Compare<T, Not<T, Greater<T>>>, 1, width, width);
            Add($"setp.gtu.{type}", &PtxLanes.Compare<T, Not<T, LessOrEqual<T>>>, 1, width, width);
            Add($"setp.geu.{type}", &PtxLanes.Compare<T, Not<T, Less<T>>>, 1, width, width);
        }

        static void Not<T>(string type, int width)
            where T : unmanaged => Add($"setp.ne.{type}", &PtxLanes.Compare<T, Not<T, Equal<T>>>, 1, width, width);
    }

    private static void Conversions()
    {
        Add("cvt.s32.s64", &PtxLanes.Narrow, 4, 8);
        Add("cvt.u32.u64", &PtxLanes.Narrow, 4, 8);
        Add("cvt.s64.s32", &PtxLanes.Widen, 8, 4);
        Add("cvt.u64.u32", &PtxLanes.WidenUnsigned, 8, 4);
        Add("cvt.rzi.s32.f32", &PtxLanes.Each<float, int, Truncated>, 4, 4);
        Add("cvt.rzi.s32.f64", &PtxLanes.Each<double, int, Truncated>, 4, 8);
        Add("cvt.rn.f32.s32", &PtxLanes.Each<int, float, FromInteger>, 4, 4);
        Add("cvt.rn.f64.s32", &PtxLanes.Each<int, double, FromInteger>, 8, 4);
        Add("cvt.rn.bf16x2.f32", &PtxLanes.Each<float, uint, Bfloat16Pair>, 4, 4, 4);
        Add("ex2.approx.ftz.f32", &PtxLanes.Each<float, float, PowerOfTwo>, 4, 4);
    }

    private static void Add(string opcode, delegate*<PtxInstruction, byte*, uint, void> run, int result, int a, int b = 0, int c = 0) =>
        Known.Add(opcode, new PtxForm((nint)run, result, a, b, c));
}
