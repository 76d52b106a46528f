using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

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
