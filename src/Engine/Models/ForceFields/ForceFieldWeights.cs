using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

/// <summary>Reads published weights into a force field by the names of <see cref="ForceField.PublishedWeights"/>.</summary>
internal static class ForceFieldWeights
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

/// <summary>
/// Where in a model's tree of names a layer's tensors go, so that names are the published ones. A layer that has parts is a plain class
/// that adds them here: a module would be searched for fields by the library, and its parts registered, and saved, a second time under
/// the fields' names.
/// </summary>
internal readonly struct ModulePath(nn.Module owner, string prefix = "")
{
    /// <summary>The path <paramref name="path"/> below this one; steps are separated by dots.</summary>
    public ModulePath At(string path) => new(owner, prefix + path + ".");

    public T Add<T>(string path, T module)
        where T : nn.Module
    {
        (nn.Module parent, string name) = Parent(path);
        parent.register_module(name, module);
        return module;
    }

    public Parameter Add(string path, Parameter parameter)
    {
        (nn.Module parent, string name) = Parent(path);
        parent.register_parameter(name, parameter);
        return parameter;
    }

    /// <summary>A tensor that is saved but not trained.</summary>
    public Tensor AddBuffer(string path, Tensor values)
    {
        (nn.Module parent, string name) = Parent(path);
        parent.register_buffer(name, values);
        return values;
    }

    private (nn.Module Parent, string Name) Parent(string path)
    {
        string[] steps = (prefix + path).Split('.');
        nn.Module at = owner;
        foreach (string step in steps[..^1])
        {
            nn.Module? child = at.named_children().FirstOrDefault(c => c.name == step).module;
            if (child is null)
            {
                child = new Step();
                at.register_module(step, child);
            }
            at = child;
        }
        return (at, steps[^1]);
    }

    private sealed class Step() : nn.Module(nameof(Step));
}
