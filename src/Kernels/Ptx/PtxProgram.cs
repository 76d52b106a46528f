using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Ptx;

/// <summary>A kernel's PTX, decoded: its instructions, and what lies where in a warp's register file.</summary>
internal sealed unsafe class PtxProgram
{
    // A cache line: vectors of lanes do not straddle two.
    private const int Line = 64;

    private readonly Dictionary<string, int> places = new(StringComparer.Ordinal);
    private readonly List<(int Place, ulong Bits, int Width)> literals = [];
    private readonly List<(int Place, int Word, int Width)> parameters = [];
    private readonly PtxText text;

    // Where the collector leaves it.
    private readonly PtxStep[] steps;
    private int nextPredicate;

    /// <param name="name">Of the kernel, for messages.</param>
    /// <param name="ptx">Its module.</param>
    /// <param name="rounding">Which products are fused.</param>
    /// <param name="seed">Of <see cref="PtxRounding.Mixed"/>.</param>
    /// <exception cref="KernelException">It holds an instruction that is not known here.</exception>
    public PtxProgram(string name, string ptx, PtxRounding rounding = PtxRounding.Each, int seed = 1)
    {
        Name = name;
        text = new PtxText(name, ptx);
        List<PtxLine> lines = PtxContraction.Apply(text, rounding, seed);
        Thread = Register("%tid.x", 4);
        GroupSize = Register("%ntid.x", 4);
        Group = Register("%ctaid.x", 4);
        Groups = Register("%nctaid.x", 4);
        SharedBytes = Register("%dynamic_smem_size", 4);
        int[][] successors = PtxFlow.Successors(text, lines);
        var wanted = new PtxLiveness(lines, successors);
        Share(wanted.Stretches());
        Code = [.. lines.Select(Decode)];
        steps = Sequence(wanted);
        int[] joins = PtxFlow.Joins(successors);
        for (int i = 0; i < Code.Length; i++) (Code[i].Join, Code[i].Index) = (joins[i], i);
        HasBarriers = Code.Any(i => i.Kind == PtxKind.Barrier);
    }

    public string Name { get; }

    /// <summary>As it was before anything was fused, an instruction for each of <see cref="Code"/>.</summary>
    public PtxText Text => text;

    public PtxInstruction[] Code { get; }

    /// <summary>What lanes do by themselves: <see cref="PtxInstruction.Step"/> says where each stretch of it begins.</summary>
    public PtxStep* Steps => (PtxStep*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(steps));

    public bool HasBarriers { get; }

    /// <summary>Of a warp's register file.</summary>
    public int FileBytes { get; private set; }

    /// <summary>Places of the registers that say which thread it is.</summary>
    public int Thread { get; }

    public int GroupSize { get; }

    public int Group { get; }

    public int Groups { get; }

    public int SharedBytes { get; }

    /// <summary>Puts what is the same for all threads of a launch into a register file.</summary>
    /// <param name="file">Of a warp.</param>
    /// <param name="shape">Of the launch.</param>
    /// <param name="arguments">Two words each, as a device takes them.</param>
    public void Prepare(byte* file, LaunchShape shape, ReadOnlySpan<long> arguments)
    {
        new Span<byte>(file, FileBytes).Clear();
        foreach ((int place, ulong bits, int width) in literals) Fill(file + place, bits, width);
        foreach ((int place, int word, int width) in parameters) Fill(file + place, (ulong)arguments[word], width);
        Fill(file + GroupSize, (ulong)shape.GroupSize, 4);
        Fill(file + Groups, (ulong)shape.Groups, 4);
        Fill(file + SharedBytes, (ulong)shape.SharedBytes, 4);
    }

    private static void Fill(byte* register, ulong bits, int width)
    {
        if (width == 8) PtxLanes.Fill(register, bits);
        else if (width == 4) PtxLanes.Fill(register, (uint)bits);
        else *(uint*)register = bits == 0 ? 0 : PtxLanes.All;
    }

    /// <summary>
    /// Registers that are not wanted at the same time have one place: a warp's file stays in the caches of the processor. Lanes that part keep what they
    /// have, since each writes its own only.
    /// </summary>
    private void Share(IReadOnlyList<(string Register, int First, int Last)> wanted)
    {
        var free = new Dictionary<int, PriorityQueue<int, int>> { [4] = new(), [8] = new() };
        var taken = new PriorityQueue<(int Place, int Width), int>();
        foreach ((string register, int first, int last) in wanted.OrderBy(r => r.First))
        {
            int width = text.Width(register);
            if (width == 1 || places.ContainsKey(register)) continue;
            while (taken.TryPeek(out (int Place, int Width) done, out int end) && end < first)
            {
                taken.Dequeue();
                free[done.Width].Enqueue(done.Place, done.Place);
            }
            places[register] = free[width].Count > 0 ? free[width].Dequeue() : Place(width);
            taken.Enqueue((places[register], width), last);
        }
    }

    /// <summary>
    /// Instructions of lanes without a guard that follow one another, with no way in between, are one stretch: it is gone through without asking
    /// anything. Two of them, where nobody else reads what the first one gives, are one step.
    /// </summary>
    private PtxStep[] Sequence(PtxLiveness wanted)
    {
        var all = new List<PtxStep>(Code.Length);
        foreach ((int first, int last) in wanted.Pieces)
        {
            for (int at = first, end; at <= last; at = end)
            {
                end = at + 1;
                PtxInstruction i = Code[at];
                if (i.Kind is not (PtxKind.Lanes or PtxKind.Divide)) continue;
                if (IsFree(i))
                    while (end <= last && IsFree(Code[end])) end++;
                (i.Step, i.Stretch) = (all.Count, end - at);
                for (int k = at; k < end; k++)
                {
                    PtxInstruction one = Code[k];
                    if (k + 1 < end && Pair(k, wanted) is { } pair)
                    {
                        all.Add(pair);
                        k++;
                    }
                    else
                    {
                        all.Add(new PtxStep { Count = 1, Result = one.Result, A = one.A, B = one.B, C = one.C, Act = one.Act });
                    }
                }
                i.StepEnd = all.Count;
                for (int k = i.StepEnd - 2; k >= i.Step; k--)
                    if (all[k].Act == all[k + 1].Act) all[k] = all[k] with { Count = all[k + 1].Count + 1 };
            }
        }
        PtxStep[] pinned = GC.AllocateArray<PtxStep>(all.Count + 1, pinned: true);
        all.CopyTo(pinned);
        return pinned;

        static bool IsFree(PtxInstruction i) => i.Kind == PtxKind.Lanes && i.Guard < 0;
    }

    /// <summary>An instruction and the next as one step; null: they are none.</summary>
    private PtxStep? Pair(int at, PtxLiveness wanted)
    {
        PtxInstruction one = Code[at], two = Code[at + 1];
        string[] o = two.Line.Operands;
        string between = one.Line.Operands[0];
        if (o.Length != 3 || o[1] == between == (o[2] == between)) return null;
        bool isFirst = o[1] == between;
        if (!PtxForms.TryPair(one.Opcode, two.Opcode, isFirst, out PtxAct act)) return null;
        if (o[0] != between && wanted.IsWantedAfter(at + 1, between)) return null;
        return new PtxStep { Count = 1, Result = two.Result, A = one.A, B = one.B, C = isFirst ? two.B : two.A, Act = act };
    }

    private PtxInstruction Decode(PtxLine line)
    {
        var i = new PtxInstruction(Name, line);
        if (line.Guard is { } guard) (i.Guard, i.Flip) = (Register(guard, 1), line.Negated ? PtxLanes.All : 0);
        string[] o = line.Operands;
        switch (line.Opcode)
        {
            case "ret":
                i.Kind = PtxKind.Exit;
                break;
            case "bra" or "bra.uni":
                i.Kind = PtxKind.Branch;
                i.Uniform = line.Opcode.Length > 3;
                i.Target = text.Target(line);
                break;
            case "bar.sync" when o is ["0"]:
                i.Kind = PtxKind.Barrier;
                break;
            case "shfl.sync.bfly.b32" when o.Length == 5 && int.TryParse(o[2], out _) && o[3] == "31" && o[4] is "4294967295" or "-1":
                i.Kind = PtxKind.Warp;
                i.Warp = &PtxLanes.Shuffle;
                (i.Result, i.A, i.Across) = (Register(o[0], 4), Source(o[1], 4), int.Parse(o[2], CultureInfo.InvariantCulture));
                break;
            case PtxMatrix.Opcode:
                i.Kind = PtxKind.Warp;
                i.Warp = &PtxMatrix.Multiply;
                i.Group = [.. o.SelectMany(PtxLine.Members).Select(member => Source(member, 4))];
                if (i.Group.Length != PtxMatrix.Operands) throw i.Fault("operands are missing");
                break;
            default:
                if (line.Opcode.StartsWith("ld.param.", StringComparison.Ordinal)) Parameter(i, o);
                else if (line.Opcode.StartsWith("ld.", StringComparison.Ordinal) || line.Opcode.StartsWith("st.", StringComparison.Ordinal)) Access(i, o);
                else Compute(i, o);
                break;
        }
        return i;
    }

    private void Compute(PtxInstruction i, string[] o)
    {
        PtxForm form = Form(i);
        if (o.Length != 1 + (form.A > 0 ? 1 : 0) + (form.B > 0 ? 1 : 0) + (form.C > 0 ? 1 : 0)) throw i.Fault("another number of operands");
        if (i.Opcode is "div.s32" or "div.u32" or "rem.s32") i.Kind = PtxKind.Divide;
        i.Act = form.ByLiteral is { } act && !o[2].StartsWith('%') ? act : form.Act;
        i.Result = Register(o[0], form.Result);
        i.A = i.B = Source(o[1], form.A);
        if (form.B > 0) i.B = Source(o[2], form.B);
        if (form.C > 0) i.C = Source(o[3], form.C);
    }

    private void Parameter(PtxInstruction i, string[] o)
    {
        PtxForm form = Form(i);
        string[] at = o[1].Trim('[', ']').Split('+');
        int index = text.Parameters.IndexOf(at[0]), offset = at.Length > 1 ? int.Parse(at[1], CultureInfo.InvariantCulture) : 0;
        if (index < 0 || offset % 8 != 0 || offset > 8) throw i.Fault("no such parameter");
        i.Act = form.Act;
        i.Result = Register(o[0], form.Result);
        i.A = Place(form.A);
        parameters.Add((i.A, 2 * index + offset / 8, form.A));
    }

    private void Access(PtxInstruction i, string[] o)
    {
        string[] parts = i.Opcode.Split('.');
        bool load = parts[0] == "ld";
        int members = parts.Contains("v4") ? 4 : parts.Contains("v2") ? 2 : 1;
        i.Kind = load ? PtxKind.Load : PtxKind.Store;
        i.Shared = parts[1] == "shared";
        i.Bytes = parts[^1] switch { "b32" or "f32" or "s32" or "u32" => 4, "b64" or "f64" or "s64" or "u64" => 8, _ => 0 };
        // Without a space: an address that is no array's. Kernels hold such loads where an absent array would be read, behind a test.
        bool known = parts.Length == (members > 1 ? 4 : 3) && parts[1] is "global" or "shared" || (load && parts.Length == 2);
        if (!known || i.Bytes == 0) throw Unknown(i);
        i.Group = [.. PtxLine.Members(o[load ? 0 : 1]).Select(member => load ? Register(member, i.Bytes) : Source(member, i.Bytes))];
        if (i.Group.Length != members) throw i.Fault("another number of registers");
        i.AccessBytes = i.Bytes * members;
        string[] at = o[load ? 1 : 0].Trim('[', ']').Split('+');
        i.A = Register(at[0], 8);
        i.Offset = at.Length > 1 ? int.Parse(at[1], CultureInfo.InvariantCulture) : 0;
    }

    private static PtxForm Form(PtxInstruction i) => PtxForms.TryGet(i.Opcode, out PtxForm form) ? form : throw Unknown(i);

    private static KernelException Unknown(PtxInstruction i) => i.Fault($"the interpreter does not know {i.Opcode}");

    /// <summary>A register's place, or that of a literal.</summary>
    private int Source(string operand, int width)
    {
        if (operand.StartsWith('%')) return Register(operand, width);
        string key = $"{operand} {width}";
        if (places.TryGetValue(key, out int known)) return known;
        literals.Add((places[key] = Place(width), Bits(operand), width));
        return places[key];
    }

    private int Register(string name, int width)
    {
        if (text.Width(name) != width) throw new KernelException(KernelFault.BadKernel, $"the PTX of kernel {Name} uses {name} as {width} bytes");
        if (places.TryGetValue(name, out int known)) return known;
        return places[name] = Place(width);
    }

    private int Place(int width)
    {
        if (width == 1)
        {
            if (nextPredicate % Line == 0) nextPredicate = Take(Line);
            int place = nextPredicate;
            nextPredicate += sizeof(uint);
            return place;
        }
        return Take(width * PtxLanes.Count);

        int Take(int bytes)
        {
            FileBytes += bytes;
            return FileBytes - bytes;
        }
    }

    // Dynamic shared memory starts at zero of its own space.
    private static ulong Bits(string literal) =>
        literal == "__dyn_shared_alloca" ? 0
        : literal.StartsWith("0f", StringComparison.Ordinal) || literal.StartsWith("0d", StringComparison.Ordinal)
            ? ulong.Parse(literal.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        : literal.StartsWith('-') ? (ulong)long.Parse(literal, CultureInfo.InvariantCulture)
        : ulong.Parse(literal, CultureInfo.InvariantCulture);
}
