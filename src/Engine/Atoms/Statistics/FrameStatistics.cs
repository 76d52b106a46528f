namespace ChemScale.Engine.Atoms.Statistics;

/// <summary>What a model wants to know about its training frames before it sees them.</summary>
public sealed record FrameStatistics
{
    /// <summary>
    /// eV by atomic number: what each element adds to the energy, by least squares over all frames with an energy (see
    /// <see cref="ReferenceEnergyFit"/>). Empty where no frame has one.
    /// </summary>
    public required IReadOnlyDictionary<int, double> ReferenceEnergies { get; init; }

    /// <summary>eV by atomic number, of isolated atoms that stood among the frames; they are not frames to train on. Empty where there were none.</summary>
    public IReadOnlyDictionary<int, double> IsolatedAtoms { get; init; } = new Dictionary<int, double>();

    /// <summary>eV/atom, over all atoms of frames with an energy; NaN without any.</summary>
    public required double MeanEnergyPerAtom { get; init; }

    /// <summary>eV: root mean square over frames of what the reference energies leave; NaN without any.</summary>
    public required double EnergyResidual { get; init; }

    /// <summary>eV/Angstrom: root mean square over components of forces; NaN without any.</summary>
    public required double ForceRms { get; init; }

    /// <summary>Mean over atoms of the first <see cref="NeighborFrames"/> frames.</summary>
    public required double NeighborsPerAtom { get; init; }

    /// <summary>Angstrom: the cutoff that is for.</summary>
    public required double NeighborCutoff { get; init; }

    /// <summary>How many frames were counted: a random sample, since frames stand in hash order.</summary>
    public required long NeighborFrames { get; init; }

    /// <summary>Atomic numbers that occur, rising.</summary>
    public required IReadOnlyList<int> Elements { get; init; }

    /// <summary>eV: the sum of the reference energies of some atoms.</summary>
    /// <exception cref="InputException">An element without one.</exception>
    public double ReferenceEnergy(ReadOnlySpan<int> atomicNumbers, string place = "frame")
    {
        double sum = 0;
        foreach (int number in atomicNumbers)
        {
            if (!ReferenceEnergies.TryGetValue(number, out double energy))
            {
                string known = string.Join(", ", ReferenceEnergies.Keys.Select(Atoms.Elements.Symbol));
                throw new InputException(place, $"element {Atoms.Elements.Symbol(number)}", $"one of {known}");
            }
            sum += energy;
        }
        return sum;
    }
}
