using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>An element's features: a row of its own, and a linear function of its electron configuration, which relates elements.</summary>
internal sealed class NuclearEmbedding : IDisposable
{
    private readonly Dense config;
    private readonly Tensor electrons;

    public NuclearEmbedding(ModulePath at, int rows, int features, ParameterInit init, ScalarType dtype, Device? device)
    {
        Table = at.Add("element_embedding", init.Normal(rows, features));
        config = at.Add("config_linear", new Dense(ElectronConfiguration.Columns, features, init, bias: false));
        electrons = tensor(ElectronConfiguration.Table(rows), dtype: dtype, device: device).DetachFromDisposeScope();
    }

    /// <summary>(rows, F)</summary>
    public Parameter Table { get; }

    /// <summary>(rows, 20)</summary>
    public Tensor Electrons => electrons;

    public static long Count(long rows, long features) => rows * features + Dense.Count(ElectronConfiguration.Columns, features, bias: false);

    /// <param name="atomicNumbers">(atoms) int64</param>
    /// <returns>(atoms, F)</returns>
    public Tensor Forward(Tensor atomicNumbers)
    {
        using DisposeScope scope = NewDisposeScope();
        return (Table + config.Forward(electrons)).index_select(0, atomicNumbers).MoveToOuterDisposeScope();
    }

    public void Dispose() => electrons.Dispose();
}
