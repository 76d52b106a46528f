namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>One number and its prediction.</summary>
/// <param name="Frame">From 0, over all files.</param>
/// <param name="Atom">Within the frame, from 0; -1 for an energy.</param>
/// <param name="Element">Atomic number; 0 for an energy.</param>
/// <param name="Component">0, 1, 2: x, y, z; -1 for an energy.</param>
/// <param name="Reference">eV/atom or eV/A</param>
/// <param name="Predicted">As the reference.</param>
internal readonly record struct ParityPoint(long Frame, int Atom, int Element, int Component, double Reference, double Predicted);
