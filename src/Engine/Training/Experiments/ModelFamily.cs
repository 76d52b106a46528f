using ChemScale.Engine.Models;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>
/// A kind of model an experiment can name in <c>model.family</c>. Adding one is writing one class and listing it in <see cref="All"/>.
/// </summary>
public abstract class ModelFamily
{
    /// <summary>Every family, in the order messages list them.</summary>
    public static IReadOnlyList<ModelFamily> All { get; } =
    [
        new ChemGptFamily(),
        new ForceFieldFamily<SchNetConfig>("schnet"),
        new ForceFieldFamily<PaiNNConfig>("painn"),
        new ForceFieldFamily<SpookyNetConfig>("spookynet"),
        new ForceFieldFamily<AllegroConfig>("allegro"),
    ];

    /// <summary>The name in <c>model.family</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The record whose settable properties, in camelCase, are the other keys of the model section.</summary>
    public abstract Type ConfigType { get; }

    /// <summary>Checks what types and <c>[Range]</c> attributes cannot say.</summary>
    /// <exception cref="InputException">The configuration describes no model.</exception>
    public abstract void Check(object config, string place);
}
