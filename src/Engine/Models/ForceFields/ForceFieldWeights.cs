using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

/// <summary>Reads published weights into a force field by the names of <see cref="ForceField.PublishedWeights"/>.</summary>
public static class ForceFieldWeights
{
    /// <summary>Copies values into the model, converting the number type.</summary>
    /// <param name="model">Written.</param>
    /// <param name="find">The tensor of a name, or null. Read once per name.</param>
    /// <param name="place">What to name in an error: the file.</param>
    /// <exception cref="InputException">A name is missing, or a shape differs.</exception>
    public static void Load(ForceField model, Func<string, Tensor?> find, string place)
    {
        using var gradients = no_grad();
        foreach ((string name, Tensor target) in model.PublishedWeights)
        {
            using Tensor source = find(name) ?? throw new InputException(place, $"no tensor '{name}'", $"the tensors of a {model.GetName()}");
            Copy(name, source, target, place);
        }
        foreach ((string name, Tensor target) in model.PublishedBuffers)
        {
            using Tensor? source = find(name);
            if (source is not null) Copy(name, source, target, place);
        }
    }

    private static void Copy(string name, Tensor source, Tensor target, string place)
    {
        if (!source.shape.SequenceEqual(target.shape))
        {
            throw new InputException(place, $"'{name}' has shape ({string.Join(", ", source.shape)})",
                $"({string.Join(", ", target.shape)})", "the model's features, interactions or radial functions differ");
        }
        target.copy_(source);
    }
}
