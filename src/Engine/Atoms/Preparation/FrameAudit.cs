using System.Globalization;
using System.Runtime.InteropServices;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Atoms.Preparation;

/// <summary>What a chemist would be warned of in labelled frames: seen as they pass by, 80 bytes or so kept of each.</summary>
internal sealed class FrameAudit
{
    /// <summary>eV an atom: further from the median of its composition, an energy is none of that composition.</summary>
    private const double EnergySpread = 50;

    /// <summary>Times the median of the greatest forces.</summary>
    private const double ForceSpread = 100;

    /// <summary>eV/Angstrom: the median atom of no data set is pulled so hard.</summary>
    private const double UnlikelyForce = 10;

    /// <summary>Times what all electrons of the atoms have: no energy of a frame is so far from 0, whatever it is counted from.</summary>
    private const double UnlikelyEnergy = 2;

    /// <summary>Of the frames: where more have the energy of another frame of other positions, it is no energy of theirs.</summary>
    private const double RepeatedShare = 0.5;

    /// <summary>Between the greatest and the smallest volume an atom: above it cells are not one cell that breathes.</summary>
    private const double VolumeRatio = 1.01;

    private const int FewestForMedian = 3, Examples = 3;

    private readonly List<Seen> frames = [];
    private readonly List<string> files = [];
    private readonly Dictionary<string, int> compositions = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, ulong> unordered = [];
    private readonly SortedSet<string> others = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedSet<string>> keys = new()
    {
        ["energies"] = new(StringComparer.Ordinal),
        ["forces"] = new(StringComparer.Ordinal),
        ["stresses"] = new(StringComparer.Ordinal),
    };
    private (double Low, double High) charges = (double.MaxValue, double.MinValue), spins = (double.MaxValue, double.MinValue);
    private int[] last = [];
    private int composition = -1;
    private double electronic;
    private int reordered;
    private string firstReordered = "";

    private readonly HashSet<(int Composition, double Energy)> energies = [];
    private readonly Dictionary<ulong, ulong> forces = [];
    private (double Low, double High) volumes = (double.MaxValue, 0);
    private readonly SortedSet<string> periodicities = new(StringComparer.Ordinal);
    private int repeatedEnergies, repeatedForces, still, stresses;
    private string firstRepeated = "", firstStill = "";

    private readonly record struct Seen(int File, int Number, int Composition, double EnergyPerAtom, double Force, double Energy, double Electronic);

    /// <param name="file">Name of its file.</param>
    /// <param name="number">From 1 within it.</param>
    /// <param name="frame">Has a label at least.</param>
    /// <param name="key">Of its atoms in their order.</param>
    public void Add(string file, long number, Frame frame, ulong key)
    {
        if (files.Count == 0 || files[^1] != file) files.Add(file);
        if (!frame.AtomicNumbers.AsSpan().SequenceEqual(last)) Compose(frame.AtomicNumbers);
        double energy = frame.HasEnergy ? frame.Energy!.Value : double.NaN;
        frames.Add(new Seen(files.Count - 1, (int)number, composition, energy / frame.Atoms, frame.HasForces ? GreatestForce(frame.Forces!) : double.NaN, energy,
            Math.Abs(energy) / electronic));
        if (frame.HasEnergy && frame.Keys?.Energy is { } e) keys["energies"].Add(e);
        if (frame.HasForces && frame.Keys?.Forces is { } f) keys["forces"].Add(f);
        if (frame.HasStress && frame.Keys?.Stress is { } s) keys["stresses"].Add(s);
        others.UnionWith(frame.OtherLabels);
        charges = (Math.Min(charges.Low, frame.Charge), Math.Max(charges.High, frame.Charge));
        spins = (Math.Min(spins.Low, frame.Spin), Math.Max(spins.High, frame.Spin));
        AddCell(frame);
        ulong set = Unordered(frame);
        bool isNew = unordered.TryAdd(set, key);
        if (isNew) AddLabels(frame, set, $"{file}, frame {number}");
        else if (unordered[set] != key && reordered++ == 0) firstReordered = $"{file}, frame {number}";
    }

    private void AddCell(Frame frame)
    {
        periodicities.Add(string.Concat(frame.Periodic.Select(p => p ? "T" : "F")));
        if (frame.HasStress) stresses++;
        if (!frame.Periodic.All(p => p) || frame.Cell is not { } c) return;
        double volume = Math.Abs(c[0] * (c[4] * c[8] - c[5] * c[7]) - c[1] * (c[3] * c[8] - c[5] * c[6]) + c[2] * (c[3] * c[7] - c[4] * c[6])) / frame.Atoms;
        volumes = (Math.Min(volumes.Low, volume), Math.Max(volumes.High, volume));
    }

    /// <summary>Labels of a frame that no other has the atoms of.</summary>
    private void AddLabels(Frame frame, ulong set, string place)
    {
        if (frame.HasEnergy && !energies.Add((composition, frame.Energy!.Value))) repeatedEnergies++;
        if (!frame.HasForces || frame.Atoms < 2) return;
        if (frame.Forces!.All(f => f == 0))
        {
            if (still++ == 0) firstStill = place;
        }
        else if (!forces.TryAdd(StableHash.Of(MemoryMarshal.AsBytes(frame.Forces.AsSpan()), 0), set) && repeatedForces++ == 0)
        {
            firstRepeated = place;
        }
    }

    /// <summary>A line for each kind of oddity, with the first few that are so.</summary>
    public IReadOnlyList<string> Complete() => [.. Warnings().Select(OneLine.Of)];

    // Frames of one composition mostly come one after another.
    private void Compose(int[] atomicNumbers)
    {
        string formula = string.Join(' ', atomicNumbers.GroupBy(z => z).OrderBy(g => g.Key).Select(g => string.Create(CultureInfo.InvariantCulture, $"{g.Key}:{g.Count()}")));
        if (!compositions.TryGetValue(formula, out composition)) compositions[formula] = composition = compositions.Count;
        electronic = atomicNumbers.Sum(ThomasFermi);
        last = atomicNumbers;
    }

    private IEnumerable<string> Warnings()
    {
        foreach ((string what, SortedSet<string> names) in keys)
            if (names.Count > 1) yield return $"{what} stand under several names, {string.Join(", ", names)}: one calculation may be mixed with another; name one";
        Seen[] labelled = [.. frames.Where(f => double.IsFinite(f.Energy))];
        int different = labelled.Select(f => f.Composition).Distinct().Count();
        bool constant = labelled.Length >= FewestForMedian && different > 1 && labelled.All(f => f.Energy == labelled[0].Energy);
        string[] otherEnergies = [.. others.Where(name => name.Contains("energy", StringComparison.OrdinalIgnoreCase))];
        string chosen = string.Join(", ", keys["energies"].DefaultIfEmpty("the energy"));
        if (constant) yield return $"{chosen} has one value in {labelled.Length} frames of {different} compositions{There(otherEnergies)}";
        else if (others.Count > 0) yield return $"of several labels of a kind {string.Join(", ", keys.Values.SelectMany(k => k))} were taken{There(others)}";
        Dictionary<int, double> usual = labelled.GroupBy(f => f.Composition).Where(g => g.Count() >= FewestForMedian)
            .ToDictionary(g => g.Key, g => Median(g.Select(f => f.EnergyPerAtom)));
        Seen[] far = [.. labelled.Where(f => usual.TryGetValue(f.Composition, out double median) && Math.Abs(f.EnergyPerAtom - median) > EnergySpread)];
        Seen[] beyond = [.. labelled.Where(f => !usual.ContainsKey(f.Composition) && f.Electronic > UnlikelyEnergy)];
        // Where all of them are so, it is the unit.
        if (beyond.Length > 0 && beyond.Length < labelled.Length / 2.0)
            yield return $"{beyond.Length} energies beyond {UnlikelyEnergy} times what all electrons of their atoms have: {Places(beyond, f => $"{f.Energy:G4} eV")}";
        if (!constant && labelled.Length >= FewestForMedian && repeatedEnergies > RepeatedShare * labelled.Length)
            yield return $"{repeatedEnergies} frames of {labelled.Length} have the energy of another frame, whose atoms are elsewhere: {chosen} may be no energy of each frame";
        if (repeatedForces > 0) yield return $"{repeatedForces} frames have the forces of another frame, whose atoms are elsewhere; first {firstRepeated}";
        if (still > 0) yield return $"{still} frames of several atoms have forces that are 0 throughout: not computed, perhaps; first {firstStill}";
        if (far.Length > 0) yield return $"{far.Length} energies beyond {EnergySpread} eV an atom from the median of their composition: {Places(far, f => $"{f.Energy:G4} eV")}";
        double[] forces = [.. frames.Select(f => f.Force).Where(double.IsFinite)];
        double middle = forces.Length > 0 ? Median(forces) : 0;
        Seen[] pulled = [.. frames.Where(f => middle > 0 && f.Force > ForceSpread * middle)];
        if (pulled.Length > 0) yield return $"{pulled.Length} frames with forces beyond {ForceSpread} times the median: {Places(pulled, f => $"{f.Force:G4} eV/A")}";
        if (Unit(labelled, middle) is { } unit) yield return unit;
        if (charges.Low < charges.High) yield return $"total charges differ, {charges.Low:G4} to {charges.High:G4}: a model that is not given them cannot tell such frames apart";
        if (spins.Low < spins.High) yield return $"spins differ, {spins.Low:G4} to {spins.High:G4}: a model that is not given them cannot tell such frames apart";
        if (periodicities.Count > 1) yield return $"periodic directions differ, {string.Join(", ", periodicities)}: what is open has no neighbours where the others have images";
        if (volumes.High > VolumeRatio * volumes.Low && stresses == 0)
        {
            yield return $"cells differ, {volumes.Low:G4} to {volumes.High:G4} A^3 an atom, and no frame has a stress: "
                + "what a change of the cell costs is learnt from energies alone";
        }
        if (reordered > 0) yield return $"{reordered} frames are others with their atoms in another order, and both sides may hold them; first {firstReordered}";
    }

    /// <summary>Which unit the numbers are likely in, where they cannot be eV.</summary>
    private static string? Unit(Seen[] labelled, double force)
    {
        double ratio = labelled.Length > 0 ? Median(labelled.Select(f => f.Electronic)) : 0;
        EnergyUnit[] units = [EnergyUnit.KilocaloriePerMole, EnergyUnit.KilojoulePerMole, EnergyUnit.MilliElectronVolt];
        string likely = units.FirstOrDefault(u => ratio * u.ElectronVolts is > 0.5 and < 1.1)?.Name ?? "another unit, such as kcal/mol";
        return ratio > 2 ? string.Create(CultureInfo.InvariantCulture, $"energies are {ratio:G3} times what all electrons of the atoms have: likely in {likely}, not eV")
            : force > UnlikelyForce
                ? string.Create(CultureInfo.InvariantCulture, $"the median of the greatest forces is {OneLine.Number(force, 0)} eV/A: likely in another unit, such as kcal/mol/A") : null;
    }

    /// <summary>eV: what the electrons of an atom have by Thomas and Fermi, 0.7687 Z^(7/3) Hartree; true atoms from carbon on have 0.75 to 0.9 of it.</summary>
    private static double ThomasFermi(int atomicNumber) => 0.7687 * Math.Pow(atomicNumber, 7 / 3.0) * EnergyUnit.Hartree.ElectronVolts;

    private static double GreatestForce(double[] forces)
    {
        double most = 0;
        for (int i = 0; i < forces.Length; i += 3) most = Math.Max(most, forces[i] * forces[i] + forces[i + 1] * forces[i + 1] + forces[i + 2] * forces[i + 2]);
        return Math.Sqrt(most);
    }

    /// <summary>The same for the same atoms in any order.</summary>
    private static ulong Unordered(Frame frame)
    {
        ulong sum = 0;
        Span<double> atom = stackalloc double[4];
        for (int i = 0; i < frame.Atoms; i++)
        {
            atom[0] = frame.AtomicNumbers[i];
            frame.Positions.AsSpan(3 * i, 3).CopyTo(atom[1..]);
            sum = unchecked(sum + StableHash.Of(MemoryMarshal.AsBytes(atom), 0));
        }
        return sum;
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private static string There(IReadOnlyCollection<string> names) => names.Count == 0 ? "" : $"; {Spelt(names)} {(names.Count == 1 ? "is" : "are")} there too";

    private static string Spelt(IEnumerable<string> names) => string.Join(", ", names.GroupBy(n => n, StringComparer.OrdinalIgnoreCase)
        .Select(g => g.Order(StringComparer.Ordinal).ToArray()).Select(g => g.Length == 1 ? g[0] : $"{g[^1]} (also written {string.Join(", ", g[..^1])})"));

    private string Places(Seen[] frames, Func<Seen, string> value) =>
        string.Join(", ", frames.Take(Examples).Select(f => $"{files[f.File]}, frame {f.Number} ({value(f)})")) + (frames.Length > Examples ? ", ..." : "");
}
