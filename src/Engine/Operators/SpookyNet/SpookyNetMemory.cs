using ChemScale.Engine.Operators.ForceFields;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>Sizes that all memory of a block depends on.</summary>
/// <param name="Atoms">n</param>
/// <param name="Pairs">All.</param>
/// <param name="Frames">Atoms of each.</param>
/// <param name="Features">F, filled up</param>
/// <param name="RandomFeatures">m, filled up</param>
/// <param name="Wide">F and a vector</param>
/// <param name="RadialFunctions">K, filled up</param>
/// <param name="Modules">Modules.</param>
internal sealed record SpookySizes(int Atoms, int Pairs, int[] Frames, int Features, int RandomFeatures, int Wide, int RadialFunctions, int Modules);

/// <summary>What is kept of a block: values, and gradients of E. Without a backward pass the modules share their gradients' place.</summary>
internal sealed unsafe class SpookyNetMemory<T>
    where T : unmanaged
{
    public SpookyNetMemory(SpookySizes sizes, T* memory, bool keep)
    {
        var pieces = new Pieces<T>(memory);
        Pairs = new PairMemory<T>(ref pieces, sizes.Pairs, sizes.RadialFunctions);
        long wide = (long)sizes.Atoms * sizes.Features;
        Elements = pieces.Take(wide);
        X = pieces.Take(wide);
        Sum = pieces.Take(wide);
        ByOutput = pieces.Take(wide);
        Charges = pieces.Take(sizes.Atoms);
        ByCharges = pieces.Take(sizes.Atoms);
        (Charge, Spin) = (new ElectronicMemory<T>(ref pieces, sizes.Atoms, wide), new ElectronicMemory<T>(ref pieces, sizes.Atoms, wide));
        Values = new ModuleValues<T>[sizes.Modules];
        Gradients = new ModuleGradients<T>[sizes.Modules];
        for (int l = 0; l < sizes.Modules; l++) Values[l] = new ModuleValues<T>(ref pieces, sizes);
        for (int l = 0; l < sizes.Modules; l++) Gradients[l] = keep || l == 0 ? new ModuleGradients<T>(ref pieces, sizes) : Gradients[0];
        Numbers = pieces.Numbers;
    }

    public long Numbers { get; }

    public PairMemory<T> Pairs { get; }

    /// <summary>(atoms, F) nuclear features; with electrons' added; outputs of all modules; gradient of E by the latter</summary>
    public T* Elements { get; }

    public T* X { get; }

    public T* Sum { get; }

    public T* ByOutput { get; }

    /// <summary>(atoms) charges; gradient of E by them before they are made to add up</summary>
    public T* Charges { get; }

    public T* ByCharges { get; }

    public ElectronicMemory<T> Charge { get; }

    public ElectronicMemory<T> Spin { get; }

    public ModuleValues<T>[] Values { get; }

    public ModuleGradients<T>[] Gradients { get; }
}

/// <summary>Charge or spin as features.</summary>
internal readonly unsafe struct ElectronicMemory<T>(ref Pieces<T> pieces, int atoms, long wide)
    where T : unmanaged
{
    /// <summary>(atoms, F)</summary>
    public readonly T* Query = pieces.Take(wide), Input = pieces.Take(wide);

    public readonly PerceptronRows<T> Rows = new(pieces.Take(wide), pieces.Take(wide));

    /// <summary>(atoms) before and after they are made to add up to one</summary>
    public readonly T* Scores = pieces.Take(atoms), Shares = pieces.Take(atoms);
}

/// <summary>Values of a module, or tangents.</summary>
internal readonly unsafe struct ModuleValues<T>
    where T : unmanaged
{
    public ModuleValues(ref Pieces<T> pieces, SpookySizes sizes)
    {
        long wide = (long)sizes.Atoms * sizes.Features;
        X1 = pieces.Take(wide);
        Before = new(pieces.Take(wide), X1);
        Own = Rows(ref pieces, wide);
        Sources = [Rows(ref pieces, wide), Rows(ref pieces, wide), Rows(ref pieces, wide)];
        Sent = new(pieces.Take(wide), pieces.Take(wide), pieces.Take(wide));
        Gathered = new(pieces.Take(wide), pieces.Take(3 * wide), pieces.Take(5 * wide));
        P = pieces.Take(6 * wide);
        D = pieces.Take(10 * wide);
        Local = Rows(ref pieces, wide);
        Attention = [Rows(ref pieces, wide), Rows(ref pieces, wide), Rows(ref pieces, wide)];
        Asked = new(pieces.Take(wide), pieces.Take(wide), pieces.Take(wide));
        Attended = new AttentionRows<T>[sizes.Frames.Length];
        for (int i = 0; i < Attended.Length; i++) Attended[i] = new(ref pieces, sizes.Frames[i], sizes.Features, sizes.RandomFeatures, sizes.Wide);
        X2 = pieces.Take(wide);
        X3 = pieces.Take(wide);
        After = new(pieces.Take(wide), X3);
        Output = Rows(ref pieces, wide);
    }

    /// <summary>(atoms, F): after the first residual block; with interactions; after the last residual block</summary>
    public readonly T* X1, X2, X3;

    public readonly PerceptronRows<T> Before, Own, Local, After, Output;

    public readonly PerceptronRows<T>[] Sources, Attention;

    /// <summary>What atoms send; what they receive, that of order s with their own and with invariants added.</summary>
    public readonly OrderRows<T> Sent, Gathered;

    /// <summary>(atoms, 3, 2 F) and (atoms, 5, 2 F) projections</summary>
    public readonly T* P, D;

    public readonly AttentionInputs<T> Asked;

    /// <summary>Of each frame.</summary>
    public readonly AttentionRows<T>[] Attended;

    public static PerceptronRows<T> Rows(ref Pieces<T> pieces, long wide) => new(pieces.Take(wide), pieces.Take(wide));
}

/// <summary>Gradients of E.</summary>
internal readonly unsafe struct ModuleGradients<T>
    where T : unmanaged
{
    public ModuleGradients(ref Pieces<T> pieces, SpookySizes sizes)
    {
        long wide = (long)sizes.Atoms * sizes.Features;
        X1 = pieces.Take(wide);
        X2 = pieces.Take(wide);
        X3 = pieces.Take(wide);
        (Before, After) = (Of(ref pieces, wide, false), Of(ref pieces, wide, false));
        (Own, Local, Output) = (Of(ref pieces, wide), Of(ref pieces, wide), Of(ref pieces, wide));
        Sources = [Of(ref pieces, wide), Of(ref pieces, wide), Of(ref pieces, wide)];
        Attention = [Of(ref pieces, wide), Of(ref pieces, wide), Of(ref pieces, wide)];
        Sent = new(pieces.Take(wide), pieces.Take(wide), pieces.Take(wide));
        Gathered = new(pieces.Take(wide), pieces.Take(3 * wide), pieces.Take(5 * wide));
        Asked = new(pieces.Take(wide), pieces.Take(wide), pieces.Take(wide));
        Attended = new AttentionGradients<T>[sizes.Frames.Length];
        for (int i = 0; i < Attended.Length; i++) Attended[i] = new(ref pieces, sizes.Frames[i], sizes.RandomFeatures, sizes.Wide);
    }

    public readonly T* X1, X2, X3;

    public readonly PerceptronGradients<T> Before, Own, Local, After, Output;

    public readonly PerceptronGradients<T>[] Sources, Attention;

    public readonly OrderRows<T> Sent, Gathered;

    public readonly AttentionInputs<T> Asked;

    public readonly AttentionGradients<T>[] Attended;

    private static PerceptronGradients<T> Of(ref Pieces<T> pieces, long wide, bool third = true) =>
        new(pieces.Take(wide), pieces.Take(wide), third ? pieces.Take(wide) : null);
}

/// <summary>Tangents of a module; of the first, what comes before its messages does not move.</summary>
internal readonly unsafe struct ModuleTangents<T>
    where T : unmanaged
{
    public ModuleTangents(ref Pieces<T> pieces, SpookySizes sizes, bool first)
    {
        long wide = (long)sizes.Atoms * sizes.Features;
        Gathered = new(pieces.Take(wide), pieces.Take(3 * wide), pieces.Take(5 * wide));
        P = pieces.Take(6 * wide);
        D = pieces.Take(10 * wide);
        X2 = pieces.Take(wide);
        X3 = pieces.Take(wide);
        (Local, Output) = (ModuleValues<T>.Rows(ref pieces, wide), ModuleValues<T>.Rows(ref pieces, wide));
        After = new(pieces.Take(wide), X3);
        (Sources, Attention, Attended) = (new PerceptronRows<T>[3], new PerceptronRows<T>[3], new AttentionTangents<T>[sizes.Frames.Length]);
        if (first) return;
        X1 = pieces.Take(wide);
        Before = new(pieces.Take(wide), X1);
        Own = ModuleValues<T>.Rows(ref pieces, wide);
        for (int i = 0; i < 3; i++) (Sources[i], Attention[i]) = (ModuleValues<T>.Rows(ref pieces, wide), ModuleValues<T>.Rows(ref pieces, wide));
        Sent = new(pieces.Take(wide), pieces.Take(wide), pieces.Take(wide));
        Asked = new(pieces.Take(wide), pieces.Take(wide), pieces.Take(wide));
        for (int i = 0; i < Attended.Length; i++) Attended[i] = new(ref pieces, sizes.Frames[i], sizes.Features, sizes.RandomFeatures, sizes.Wide);
    }

    public readonly T* X1, X2, X3, P, D;

    public readonly PerceptronRows<T> Before, Own, Local, After, Output;

    public readonly PerceptronRows<T>[] Sources, Attention;

    public readonly OrderRows<T> Sent, Gathered;

    public readonly AttentionInputs<T> Asked;

    public readonly AttentionTangents<T>[] Attended;
}

/// <summary>Room of a backward pass: tangents of all modules, gradients of S of one.</summary>
internal sealed unsafe class SpookyBackwardRoom<T>
    where T : unmanaged
{
    /// <param name="sizes">Of the block.</param>
    /// <param name="attention">Numbers that attention takes.</param>
    /// <param name="perceptrons">Numbers that perceptrons take.</param>
    /// <param name="chunk">Pairs of a chunk.</param>
    /// <param name="memory">null: only counted</param>
    public SpookyBackwardRoom(SpookySizes sizes, long attention, long perceptrons, int chunk, T* memory)
    {
        var pieces = new Pieces<T>(memory);
        long wide = (long)sizes.Atoms * sizes.Features;
        Modules = new ModuleTangents<T>[sizes.Modules];
        for (int l = 0; l < sizes.Modules; l++) Modules[l] = new(ref pieces, sizes, l == 0);
        Motion = pieces.Take((long)SpookyPairSizes.Sums * sizes.Pairs);
        Room = pieces.Take(perceptrons);
        Filters = pieces.Take(6L * chunk * sizes.Features);
        ByFilters = pieces.Take(6L * chunk * sizes.Features);
        ByRadial = pieces.Take(2L * chunk * sizes.RadialFunctions);
        Projections = pieces.Take(10 * wide);
        Sum = pieces.Take(wide);
        ByOutput = pieces.Take(wide);
        X1 = pieces.Take(wide);
        X2 = pieces.Take(wide);
        X3 = pieces.Take(wide);
        Gathered = new(pieces.Take(wide), pieces.Take(3 * wide), pieces.Take(5 * wide));
        Sent = new(pieces.Take(wide), pieces.Take(wide), pieces.Take(wide));
        Asked = new(pieces.Take(wide), pieces.Take(wide), pieces.Take(wide));
        Charges = pieces.Take(sizes.Atoms);
        ByCharges = pieces.Take(sizes.Atoms);
        Electrons = pieces.Take(64L * sizes.Atoms);
        Attention = pieces.Take(attention);
        Numbers = pieces.Numbers;
    }

    public ModuleTangents<T>[] Modules { get; }

    public long Numbers { get; }

    /// <summary>(near, 9)</summary>
    public T* Motion { get; }

    public T* Room { get; }

    public T* Filters { get; }

    public T* ByFilters { get; }

    public T* ByRadial { get; }

    public T* Projections { get; }

    /// <summary>(atoms, F) tangents of outputs; gradients by outputs and by features.</summary>
    public T* Sum { get; }

    public T* ByOutput { get; }

    public T* X1 { get; }

    public T* X2 { get; }

    public T* X3 { get; }

    public OrderRows<T> Gathered { get; }

    public OrderRows<T> Sent { get; }

    public AttentionInputs<T> Asked { get; }

    /// <summary>(atoms)</summary>
    public T* Charges { get; }

    public T* ByCharges { get; }

    public T* Electrons { get; }

    public T* Attention { get; }
}
