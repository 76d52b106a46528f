namespace ChemScale.Engine.Simulation;

/// <summary>How to relax.</summary>
public sealed record RelaxationOptions
{
    /// <summary>eV/A: done where no atom feels more.</summary>
    public double MaximumForce { get; init; } = 0.01;

    /// <summary>Given up after as many.</summary>
    public long Steps { get; init; } = 1000;

    /// <summary>Steps from one written frame to the next.</summary>
    public long Every { get; init; } = 10;

    /// <exception cref="InputException">A value out of range.</exception>
    public void Validate()
    {
        if (!(MaximumForce > 0) || !double.IsFinite(MaximumForce))
            throw new InputException("maximumForce", $"{MaximumForce}", "a positive number of eV/A");
        if (Steps < 1) throw new InputException("steps", $"{Steps}", "1 or more");
        if (Every < 1) throw new InputException("every", $"{Every}", "1 or more");
    }
}
