namespace ChemScale.Kernels.Ptx;

/// <summary>What an instruction form does, and the widths of its operands: bytes of a lane, 1 for predicates, 0 for none.</summary>
/// <param name="Act">The function.</param>
/// <param name="ByLiteral">Instead, where the second source is one.</param>
/// <param name="Result">Width.</param>
/// <param name="A">Likewise.</param>
/// <param name="B">Likewise.</param>
/// <param name="C">Likewise.</param>
internal readonly record struct PtxForm(PtxAct Act, PtxAct? ByLiteral, int Result, int A, int B, int C);

/// <summary>The instruction forms that kernels hold, but for branches, barriers, shuffles, matrix products, loads and stores.</summary>
internal static class PtxForms
{
    private static readonly Dictionary<string, PtxForm> Known = new(StringComparer.Ordinal);

    // Of two instructions, the second of which takes what the first gives as its first operand, or as its second.
    private static readonly Dictionary<(string, string), (PtxAct First, PtxAct Second)> Pairs = [];

    static PtxForms()
    {
        Floats<float>("f32", 4);
        Floats<double>("f64", 8);
        Integers();
        Comparisons();
        Conversions();
        Add<Unary<uint, uint, Same<uint>>>("mov.b32", 4, 4);
        Add<Unary<uint, uint, Same<uint>>>("mov.f32", 4, 4);
        Add<Unary<ulong, ulong, Same<ulong>>>("mov.b64", 8, 8);
        Add<Unary<ulong, ulong, Same<ulong>>>("mov.f64", 8, 8);
        Add<Unary<ulong, ulong, Same<ulong>>>("cvta.to.global.u64", 8, 8);
        Add<Unary<uint, uint, Same<uint>>>("ld.param.b32", 4, 4);
        Add<Unary<uint, uint, Same<uint>>>("ld.param.f32", 4, 4);
        Add<Unary<ulong, ulong, Same<ulong>>>("ld.param.b64", 8, 8);
        Add<Unary<ulong, ulong, Same<ulong>>>("ld.param.f64", 8, 8);
        Add<Predicates<SamePredicate>>("mov.pred", 1, 1);
        Add<Predicates<BothPredicates>>("and.pred", 1, 1, 1);
        Add<Predicates<EitherPredicate>>("or.pred", 1, 1, 1);
        Add<Select<uint>>("selp.b32", 4, 4, 4, 1);
        Add<Select<ulong>>("selp.b64", 8, 8, 8, 1);
        FloatPairs<float>("f32");
        FloatPairs<double>("f64");
        Pair<uint, Product<uint>, Sum<uint>>("mul.lo.s32", "add.s32");
        Pair<uint, Sum<uint>, Sum<uint>>("add.s32", "add.s32");
        Pair<uint, Sum<uint>, Product<uint>>("add.s32", "mul.lo.s32");
        foreach (string sum in (string[])["add.s64", "add.u64"]) Pairs.Add(("mul.wide.u32", sum), (PtxAct.Of<WideProductSum>(), PtxAct.Of<WideProductSum>()));
    }

    public static bool TryGet(string opcode, out PtxForm form) => Known.TryGetValue(opcode, out form);

    /// <summary>Two instructions as one: of the first one's two sources and the second one's other source.</summary>
    /// <param name="first">Opcode of the one whose result nobody else reads.</param>
    /// <param name="second">Opcode of the next.</param>
    /// <param name="isFirst">That result is the first of the second one's sources; else the second.</param>
    /// <param name="act">What they do.</param>
    public static bool TryPair(string first, string second, bool isFirst, out PtxAct act)
    {
        bool found = Pairs.TryGetValue((first, second), out (PtxAct First, PtxAct Second) both);
        act = isFirst ? both.First : both.Second;
        return found;
    }

    private static void Floats<T>(string type, int width)
        where T : unmanaged
    {
        // With a rounding they may not be fused; what is fused: PtxContraction.
        foreach (string rounding in (string[])["", ".rn"])
        {
            Add<Binary<T, Sum<T>>>($"add{rounding}.{type}", width, width, width);
            Add<Binary<T, Difference<T>>>($"sub{rounding}.{type}", width, width, width);
            Add<Binary<T, Product<T>>>($"mul{rounding}.{type}", width, width, width);
        }
        Add<Binary<T, Quotient<T>>>($"div.rn.{type}", width, width, width);
        Add<Unary<T, T, Reciprocal<T>>>($"rcp.rn.{type}", width, width);
        Add<Unary<T, T, Root<T>>>($"sqrt.rn.{type}", width, width);
        Add<Unary<T, T, Negative<T>>>($"neg.{type}", width, width);
        Add<Ternary<T, Fused<T>>>($"{PtxContraction.Add}.{type}", width, width, width, width);
        Add<Ternary<T, FusedLess<T>>>($"{PtxContraction.Less}.{type}", width, width, width, width);
        Add<Ternary<T, FusedFrom<T>>>($"{PtxContraction.From}.{type}", width, width, width, width);
    }

    private static void FloatPairs<T>(string type)
        where T : unmanaged
    {
        Pair<T, Product<T>, Sum<T>>($"mul.{type}", $"add.{type}");
        Pair<T, Product<T>, Difference<T>>($"mul.{type}", $"sub.{type}");
        Pair<T, Product<T>, Product<T>>($"mul.{type}", $"mul.{type}");
        Pair<T, Sum<T>, Product<T>>($"add.{type}", $"mul.{type}");
        Pair<T, Sum<T>, Sum<T>>($"add.{type}", $"add.{type}");
        Pair<T, Difference<T>, Product<T>>($"sub.{type}", $"mul.{type}");
    }

    private static void Pair<T, TFirst, TSecond>(string first, string second)
        where T : unmanaged
        where TFirst : struct, IBinary<T>
        where TSecond : struct, IBinary<T> =>
        Pairs.Add((first, second), (PtxAct.Of<Ternary<T, Then<T, TFirst, TSecond>>>(), PtxAct.Of<Ternary<T, Into<T, TFirst, TSecond>>>()));

    private static void Integers()
    {
        Add<Binary<uint, Sum<uint>>>("add.s32", 4, 4, 4);
        Add<Binary<ulong, Sum<ulong>>>("add.s64", 8, 8, 8);
        Add<Binary<ulong, Sum<ulong>>>("add.u64", 8, 8, 8);
        Add<Binary<uint, Difference<uint>>>("sub.s32", 4, 4, 4);
        Add<Binary<ulong, Difference<ulong>>>("sub.s64", 8, 8, 8);
        Add<Unary<int, int, Negative<int>>>("neg.s32", 4, 4);
        Add<Binary<uint, Product<uint>>>("mul.lo.s32", 4, 4, 4);
        Add<WideProduct>("mul.wide.u32", 8, 4, 4);
        Add<Ternary<ulong, ProductSum<ulong>>>("mad.lo.u64", 8, 8, 8, 8);
        Add<Binary<int, SignedQuotient>>("div.s32", 4, 4, 4);
        Add<Binary<uint, UnsignedQuotient>>("div.u32", 4, 4, 4);
        Add<Binary<int, SignedRemainder>>("rem.s32", 4, 4, 4);
        Add<Binary<uint, Both<uint>>>("and.b32", 4, 4, 4);
        Add<Binary<ulong, Both<ulong>>>("and.b64", 8, 8, 8);
        Add<Binary<uint, Either<uint>>>("or.b32", 4, 4, 4);
        Add<Binary<ulong, Either<ulong>>>("or.b64", 8, 8, 8);
        AddShift<uint, Left<uint>>("shl.b32", 4, 4, 4);
        AddShift<ulong, Left<ulong>>("shl.b64", 8, 8, 4);
        AddShift<int, Right<int>>("shr.s32", 4, 4, 4);
        AddShift<long, Right<long>>("shr.s64", 8, 8, 4);
        AddShift<uint, Right<uint>>("shr.u32", 4, 4, 4);
        AddShift<ulong, Right<ulong>>("shr.u64", 8, 8, 4);
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
        Add<Compare<uint, Equal<uint>>>("setp.eq.u32", 1, 4, 4);
        Add<Compare<uint, Less<uint>>>("setp.lo.u32", 1, 4, 4);
        Add<Compare<uint, Greater<uint>>>("setp.hi.u32", 1, 4, 4);
        Add<Compare<uint, GreaterOrEqual<uint>>>("setp.hs.u32", 1, 4, 4);
        Add<Compare<uint, LessOrEqual<uint>>>("setp.ls.u32", 1, 4, 4);

        static void Orders<T>(string type, int width)
            where T : unmanaged
        {
            Add<Compare<T, Less<T>>>($"setp.lt.{type}", 1, width, width);
            Add<Compare<T, LessOrEqual<T>>>($"setp.le.{type}", 1, width, width);
            Add<Compare<T, Greater<T>>>($"setp.gt.{type}", 1, width, width);
            Add<Compare<T, GreaterOrEqual<T>>>($"setp.ge.{type}", 1, width, width);
            Add<Compare<T, Equal<T>>>($"setp.eq.{type}", 1, width, width);
        }

        // Also true where an operand is NaN: not the opposite.
        static void Unordered<T>(string type, int width)
            where T : unmanaged
        {
            Add<Compare<T, Not<T, GreaterOrEqual<T>>>>($"setp.ltu.{type}", 1, width, width);
            Add<Compare<T, Not<T, Greater<T>>>>($"setp.leu.{type}", 1, width, width);
            Add<Compare<T, Not<T, LessOrEqual<T>>>>($"setp.gtu.{type}", 1, width, width);
            Add<Compare<T, Not<T, Less<T>>>>($"setp.geu.{type}", 1, width, width);
        }

        static void Not<T>(string type, int width)
            where T : unmanaged => Add<Compare<T, Not<T, Equal<T>>>>($"setp.ne.{type}", 1, width, width);
    }

    private static void Conversions()
    {
        Add<Narrow>("cvt.s32.s64", 4, 8);
        Add<Narrow>("cvt.u32.u64", 4, 8);
        Add<Widen<int>>("cvt.s64.s32", 8, 4);
        Add<Widen<uint>>("cvt.u64.u32", 8, 4);
        Add<Unary<float, int, Truncated>>("cvt.rzi.s32.f32", 4, 4);
        Add<Each<double, int, Truncated>>("cvt.rzi.s32.f64", 4, 8);
        Add<Unary<int, float, FromInteger>>("cvt.rn.f32.s32", 4, 4);
        Add<Each<int, double, FromInteger>>("cvt.rn.f64.s32", 8, 4);
        Add<Each<float, uint, Bfloat16Pair>>("cvt.rn.bf16x2.f32", 4, 4, 4);
        Add<Each<float, float, PowerOfTwo>>("ex2.approx.ftz.f32", 4, 4);
    }

    private static void Add<TShape>(string opcode, int result, int a, int b = 0, int c = 0)
        where TShape : struct, IPtxShape => Known.Add(opcode, new PtxForm(PtxAct.Of<TShape>(), null, result, a, b, c));

    private static void AddShift<T, TFunction>(string opcode, int result, int a, int b)
        where T : unmanaged
        where TFunction : struct, IShift<T> =>
        Known.Add(opcode, new PtxForm(PtxAct.Of<ShiftEach<T, TFunction>>(), PtxAct.Of<ShiftAll<T, TFunction>>(), result, a, b, 0));
}
