namespace ChemScale.Kernels.Ptx;

/// <summary>
/// What each lane does by itself, as the loop takes it: an instruction, or two of which the second uses up the first one's result. Small, side by side,
/// and no objects: a pass of SchNet walks through thousands of them.
/// </summary>
internal unsafe struct PtxStep
{
    /// <summary>Steps from here on that have the same function: it does all of them.</summary>
    public int Count;

    /// <summary>Places in a warp's register file.</summary>
    public int Result;

    public int A;

    public int B;

    public int C;

    public PtxAct Act;
}

/// <summary>A function of steps, for all 32 lanes and for some: they return the step after the last one that they did.</summary>
/// <param name="Whole">Of a step, the register file, lanes.</param>
/// <param name="Some">Likewise; lanes whose bit is not set keep what they had.</param>
internal readonly unsafe record struct PtxAct(nint Whole, nint Some)
{
    public static PtxAct Of<TShape>()
        where TShape : struct, IPtxShape
    {
        delegate*<PtxStep*, byte*, uint, PtxStep*> whole = &All<TShape>, some = &Those<TShape>;
        return new PtxAct((nint)whole, (nint)some);
    }

    /// <summary>Does steps that follow one another.</summary>
    /// <param name="step">The first.</param>
    /// <param name="end">Behind the last.</param>
    /// <param name="file">Registers of a warp.</param>
    /// <param name="lanes">That take part.</param>
    public static void Run(PtxStep* step, PtxStep* end, byte* file, uint lanes)
    {
        if (lanes == PtxLanes.All)
        {
            do step = ((delegate*<PtxStep*, byte*, uint, PtxStep*>)step->Act.Whole)(step, file, lanes);
            while (step != end);
        }
        else
        {
            do step = ((delegate*<PtxStep*, byte*, uint, PtxStep*>)step->Act.Some)(step, file, lanes);
            while (step != end);
        }
    }

    private static PtxStep* All<TShape>(PtxStep* s, byte* file, uint lanes)
        where TShape : struct, IPtxShape
    {
        PtxStep* end = s + s->Count;
        do TShape.Do(s, file, PtxLanes.All, true);
        while (++s != end);
        return end;
    }

    private static PtxStep* Those<TShape>(PtxStep* s, byte* file, uint lanes)
        where TShape : struct, IPtxShape
    {
        PtxStep* end = s + s->Count;
        do TShape.Do(s, file, lanes, false);
        while (++s != end);
        return end;
    }
}

/// <summary>How a step's operands lie: registers of which widths, and what comes of them.</summary>
internal unsafe interface IPtxShape
{
    /// <param name="s">Where the operands are.</param>
    /// <param name="file">Registers of a warp.</param>
    /// <param name="lanes">That take part.</param>
    /// <param name="all">All do: a constant where this is called.</param>
    static abstract void Do(PtxStep* s, byte* file, uint lanes, bool all);
}
