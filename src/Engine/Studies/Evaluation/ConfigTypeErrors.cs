namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>Errors of the frames of one kind.</summary>
/// <param name="Name">As the frames call it.</param>
/// <param name="Frames">With or without labels.</param>
/// <param name="Energy">Null where none has an energy.</param>
/// <param name="Forces">Null where none has forces.</param>
public sealed record ConfigTypeErrors(string Name, long Frames, EnergyErrors? Energy, ForceErrors? Forces);
