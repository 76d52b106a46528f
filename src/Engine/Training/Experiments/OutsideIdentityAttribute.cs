namespace ChemScale.Engine.Training.Experiments;

/// <summary>
/// Marks what says where or how safely an experiment runs, not what it computes: left out of <see cref="Experiment.Id"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OutsideIdentityAttribute : Attribute;
