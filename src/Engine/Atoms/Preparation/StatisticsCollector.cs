using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Atoms.Statistics;

namespace ChemScale.Engine.Atoms.Preparation;

/// <summary>Statistics of frames that pass by once.</summary>
internal sealed class StatisticsCollector(double cutoff)
{
    /// <summary>Enough for a mean to a few thousandths.</summary>
    private const int NeighborFrames = 1000;

    private readonly ReferenceEnergyFit _energies = new();
    private readonly SortedSet<int> _elements = [];
    private double _squaredForces;
    private long _forces;
    private long _edges;
    private long _neighborAtoms;
    private long _neighborFrames;

    public void Add(Frame frame)
    {
        _elements.UnionWith(frame.AtomicNumbers);
        if (frame.HasEnergy) _energies.Add(frame.AtomicNumbers, frame.Energy!.Value);
        if (frame.HasForces)
        {
            foreach (double force in frame.Forces!) _squaredForces += force * force;
            _forces += frame.Forces.Length;
        }
        if (_neighborFrames == NeighborFrames) return;
        _edges += NeighborLists.Build(frame, cutoff).Edges;
        _neighborAtoms += frame.Atoms;
        _neighborFrames++;
    }

    public FrameStatistics Complete()
    {
        SortedDictionary<int, double> references = _energies.Solve();
        return new FrameStatistics
        {
            Elements = [.. _elements],
            ReferenceEnergies = references,
            MeanEnergyPerAtom = _energies.MeanPerAtom(),
            EnergyResidual = _energies.Residual(references),
            ForceRms = Math.Sqrt(_squaredForces / _forces),
            NeighborCutoff = cutoff,
            NeighborsPerAtom = (double)_edges / _neighborAtoms,
            NeighborFrames = _neighborFrames,
        };
    }
}
