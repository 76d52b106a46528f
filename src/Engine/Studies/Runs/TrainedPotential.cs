using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Native;
using ChemScale.Engine.Simulation;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>A trained force field beside the frame it is to move.</summary>
public sealed class TrainedPotential : IDisposable
{
    private readonly ForceField model;
    private readonly ThreadGrant threads;

    /// <param name="request">Which run, which frame.</param>
    /// <param name="warn">Gets a line where the newest checkpoint is damaged and the one before is used.</param>
    /// <exception cref="InputException">No run, no frame, or a frame of elements that the model does not know.</exception>
    public TrainedPotential(Request request, Action<string> warn)
    {
        Frame = StartFrame.Read(request.Frame, request.Length);
        model = TrainedForceField.Open(request.Run, warn, request.Precision);
        try
        {
            int heaviest = Frame.AtomicNumbers.Max();
            if (heaviest > model.Config.MaxAtomicNumber)
            {
                throw new InputException(Frame.Place, $"{Elements.Symbol(heaviest)}, atomic number {heaviest}",
                    $"elements the model was made for, up to {model.Config.MaxAtomicNumber}");
            }
            threads = ThreadScope.Take(request.Threads, Frame.Atoms);
        }
        catch
        {
            model.Dispose();
            throw;
        }
        Potential = new ForceFieldPotential(model);
    }

    /// <summary>What to open.</summary>
    public sealed record Request
    {
        /// <summary>Run directory of a force field.</summary>
        public required string Run { get; init; }

        /// <summary>As <see cref="StartFrame"/> has it.</summary>
        public required string Frame { get; init; }

        /// <summary>Unit of the frame's lengths; null: the file's own, else Angstrom.</summary>
        public LengthUnit? Length { get; init; }

        /// <summary>Null: that of the training.</summary>
        public Precision? Precision { get; init; }

        /// <summary>CPU threads; 0: one for a small frame, else the library's choice.</summary>
        public int Threads { get; init; }
    }

    public Frame Frame { get; }

    public IPotential Potential { get; }

    public void Dispose()
    {
        threads.Dispose();
        model.Dispose();
    }
}
