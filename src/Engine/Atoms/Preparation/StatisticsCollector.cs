using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Atoms.Statistics;

namespace ChemScale.Engine.Atoms.Preparation;

/// <summary>Statistics of frames that pass by once.</summary>
internal sealed class StatisticsCollector(double cutoff, CancellationToken stop)
{
    /// <summary>Enough for a mean to a few thousandths.</summary>
    private const int NeighborFrames = 1000;

    private readonly ReferenceEnergyFit energies = new();
    private readonly SortedSet<int> elements = [];
    private double squaredForces;
    private long forces;
    private long edges;
    private long neighborAtoms;
    private long neighborFrames;

    public void Add(Frame frame)
    {
        elements.UnionWith(frame.AtomicNumbers);
        if (frame.HasEnergy) energies.Add(frame.AtomicNumbers, frame.Energy!.Value);
        if (frame.HasForces)
        {
            foreach (double force in frame.Forces!) squaredForces += force * force;
            forces += frame.Forces.Length;
        }
        if (neighborFrames == NeighborFrames) return;
        using NeighborList list = NeighborLists.Build(frame, cutoff, stop);
        edges += list.Edges;
        neighborAtoms += frame.Atoms;
        neighborFrames++;
    }

    public FrameStatistics Complete()
    {
        SortedDictionary<int, double> references = energies.Solve();
        return new FrameStatistics
        {
            Elements = [.. elements],
            ReferenceEnergies = references,
            MeanEnergyPerAtom = energies.MeanPerAtom(),
            EnergyResidual = energies.Residual(references),
            ForceRms = Math.Sqrt(squaredForces / forces),
            NeighborCutoff = cutoff,
            NeighborsPerAtom = (double)edges / neighborAtoms,
            NeighborFrames = neighborFrames,
        };
    }
}
