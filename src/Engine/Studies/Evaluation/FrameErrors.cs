using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>
/// Errors of predicted frames, taken one frame at a time: sums, by element and by kind of frame too, and samples of bounded size for what
/// needs the numbers themselves. A label that is absent or NaN is counted and takes part in nothing.
/// </summary>
internal sealed class FrameErrors
{
    private const int EnergyPoints = 2000;
    private const int ForcePoints = 5000;
    private const int ShiftFrames = 200_000;

    // Bounds memory where every frame has a name of its own.
    private const int MostTypes = 200;
    private const string OtherTypes = "(others)";

    private readonly ErrorSums energy = new();
    private readonly ErrorSums energyPerAtom = new();
    private readonly ErrorSums forces = new();
    private readonly ErrorSums stress = new();
    private readonly SortedDictionary<int, ErrorSums> elements = [];
    private readonly SortedDictionary<string, TypeSums> types = new(StringComparer.Ordinal);
    private readonly ThinnedSample<(double Error, int Atoms)> shift = new(ShiftFrames);

    public long Frames { get; private set; }

    public long Atoms { get; private set; }

    public long WithoutEnergy { get; private set; }

    /// <summary>Frames without a single force.</summary>
    public long WithoutForces { get; private set; }

    /// <summary>Components that are absent from frames that have others.</summary>
    public long MissingForceComponents { get; private set; }

    public long PeriodicFrames { get; private set; }

    public long PeriodicWithoutStress { get; private set; }

    public ThinnedSample<ParityPoint> Energies { get; } = new(EnergyPoints);

    public ThinnedSample<ParityPoint> Forces { get; } = new(ForcePoints);

    public EnergyErrors? Energy => EnergyErrors.Of(energy, energyPerAtom);

    public ForceErrors? Force => ForceErrors.Of(forces);

    public StressErrors? Stress => StressErrors.Of(stress);

    public EnergyShift? Shift => EnergyShift.Of(shift);

    /// <summary>By symbol, lightest first; eV/A.</summary>
    public IReadOnlyDictionary<string, ErrorFigures> ForcesByElement =>
        elements.ToDictionary(pair => Elements.Symbol(pair.Key), pair => pair.Value.Figures!);

    public IReadOnlyList<ConfigTypeErrors> ByConfigType =>
    [
        .. types.Select(pair => new ConfigTypeErrors(
            pair.Key, pair.Value.Frames, EnergyErrors.Of(pair.Value.Energy, pair.Value.EnergyPerAtom), ForceErrors.Of(pair.Value.Forces))),
    ];

    public void Add(Frame frame, FramePrediction prediction)
    {
        TypeSums? type = frame.ConfigType is { } name ? TypeOf(name) : null;
        if (type is not null) type.Frames++;
        AddEnergy(frame, prediction, type);
        AddForces(frame, prediction, type);
        AddStress(frame, prediction);
        Frames++;
        Atoms += frame.Atoms;
    }

    private void AddEnergy(Frame frame, FramePrediction prediction, TypeSums? type)
    {
        if (!frame.HasEnergy)
        {
            WithoutEnergy++;
            return;
        }
        double error = prediction.Energy - frame.Energy!.Value;
        energy.Add(error);
        energyPerAtom.Add(error / frame.Atoms);
        type?.Energy.Add(error);
        type?.EnergyPerAtom.Add(error / frame.Atoms);
        shift.Add((error, frame.Atoms));
        Energies.Add(new ParityPoint(Frames, -1, 0, -1, frame.Energy.Value / frame.Atoms, prediction.Energy / frame.Atoms));
    }

    private void AddForces(Frame frame, FramePrediction prediction, TypeSums? type)
    {
        if (frame.Forces is not { } forces || !forces.Any(double.IsFinite))
        {
            WithoutForces++;
            return;
        }
        for (int i = 0; i < forces.Length; i++)
        {
            if (!double.IsFinite(forces[i]))
            {
                MissingForceComponents++;
                continue;
            }
            int element = frame.AtomicNumbers[i / 3];
            double error = prediction.Forces[i] - forces[i];
            this.forces.Add(error);
            if (!elements.TryGetValue(element, out ErrorSums? sums)) elements[element] = sums = new ErrorSums();
            sums.Add(error);
            type?.Forces.Add(error);
            Forces.Add(new ParityPoint(Frames, i / 3, element, i % 3, forces[i], prediction.Forces[i]));
        }
    }

    private void AddStress(Frame frame, FramePrediction prediction)
    {
        if (prediction.Stress is not { } stress) return;
        PeriodicFrames++;
        if (!frame.HasStress)
        {
            PeriodicWithoutStress++;
            return;
        }
        for (int i = 0; i < 9; i++) this.stress.Add(stress[i] - frame.Stress![i]);
    }

    private TypeSums TypeOf(string name)
    {
        if (types.TryGetValue(name, out TypeSums? sums)) return sums;
        if (types.Count >= MostTypes) name = OtherTypes;
        if (!types.TryGetValue(name, out sums)) types[name] = sums = new TypeSums();
        return sums;
    }

    private sealed class TypeSums
    {
        public long Frames { get; set; }

        public ErrorSums Energy { get; } = new();

        public ErrorSums EnergyPerAtom { get; } = new();

        public ErrorSums Forces { get; } = new();
    }
}

/// <summary>One number and its prediction.</summary>
/// <param name="Frame">From 0, over all files.</param>
/// <param name="Atom">Within the frame, from 0; -1 for an energy.</param>
/// <param name="Element">Atomic number; 0 for an energy.</param>
/// <param name="Component">0, 1, 2: x, y, z; -1 for an energy.</param>
/// <param name="Reference">eV/atom or eV/A</param>
/// <param name="Predicted">As the reference.</param>
internal readonly record struct ParityPoint(long Frame, int Atom, int Element, int Component, double Reference, double Predicted);

/// <summary>
/// At most so many items of a stream of unknown length: all of them while they fit, then those whose number hashes low, half as many
/// each time it fills up. The same stream always leaves the same items, and no rhythm of the stream (three components, equal molecules)
/// shows in them.
/// </summary>
internal sealed class ThinnedSample<T>(int capacity)
{
    private readonly List<(ulong Key, T Item)> kept = [];
    private ulong limit = ulong.MaxValue;

    /// <summary>Items added.</summary>
    public long Seen { get; private set; }

    public int Count => kept.Count;

    /// <summary>Nothing was left out.</summary>
    public bool IsComplete => Seen == Count;

    /// <summary>In the order of the stream.</summary>
    public IEnumerable<T> Items => this.kept.Select(kept => kept.Item);

    public void Add(T item)
    {
        ulong key = SplitMix64.Mix(((ulong)Seen++ + 1) * SplitMix64.Step);
        if (key > limit) return;
        this.kept.Add((key, item));
        while (this.kept.Count > capacity)
        {
            limit /= 2;
            this.kept.RemoveAll(kept => kept.Key > limit);
        }
    }
}
