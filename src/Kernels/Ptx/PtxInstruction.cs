using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Ptx;

/// <summary>How an instruction takes part in a warp's progress.</summary>
internal enum PtxKind
{
    /// <summary>Each lane by itself.</summary>
    Lanes,

    /// <summary>Likewise, and no lane's second source may be zero.</summary>
    Divide,

    /// <summary>All lanes together: none may be missing.</summary>
    Warp,
    Load,
    Store,
    Branch,
    Barrier,
    Exit,
}

/// <summary>
/// A decoded instruction. Registers are byte offsets into a warp's register file: 32 lanes side by side, or a bit a lane for predicates. Literals
/// and parameters have such places too.
/// </summary>
internal sealed unsafe class PtxInstruction(string kernel, PtxLine line)
{
    public PtxKind Kind { get; set; }

    /// <summary>Place in the program.</summary>
    public int Index { get; set; }

    public PtxLine Line => line;

    public string Opcode => line.Opcode;

    /// <summary>Of all lanes together: instruction, register file.</summary>
    public delegate*<PtxInstruction, byte*, void> Warp { get; set; }

    /// <summary>Of each lane by itself.</summary>
    public PtxAct Act { get; set; }

    /// <summary>
    /// Steps that do it and those after it that nothing can come between: the first one and the one after the last in <see cref="PtxProgram.Steps"/>, and
    /// how many instructions that is.
    /// </summary>
    public int Step { get; set; }

    public int StepEnd { get; set; }

    public int Stretch { get; set; }

    /// <summary>Place of the guarding predicate; negative: none.</summary>
    public int Guard { get; set; } = -1;

    /// <summary>All bits where the guard is negated.</summary>
    public uint Flip { get; set; }

    public int Result { get; set; }

    public int A { get; set; }

    public int B { get; set; }

    public int C { get; set; }

    /// <summary>Of a group of registers: of vectors, and all of a matrix product, in the text's order.</summary>
    public int[] Group { get; set; } = [];

    /// <summary>Index of the instruction that a branch goes to, and of the one where paths that part here meet again.</summary>
    public int Target { get; set; }

    public int Join { get; set; }

    /// <summary>A branch that says its lanes agree.</summary>
    public bool Uniform { get; set; }

    /// <summary>Of a memory access: shared memory; bytes of an element; constant part of the address.</summary>
    public bool Shared { get; set; }

    public int Bytes { get; set; }

    /// <summary>Of all of a lane's elements: a power of two.</summary>
    public int AccessBytes { get; set; }

    public int Offset { get; set; }

    /// <summary>Of a shuffle: lane l takes from lane l xor this.</summary>
    public int Across { get; set; }

    /// <summary>Range that the last access lay in: where the next one is looked for first.</summary>
    public int Hint { get; set; }

    public KernelException Fault(string what) => line.Fault(kernel, what);
}
