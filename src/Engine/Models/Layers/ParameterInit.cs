using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.Layers;

/// <summary>Makes parameters in place, without a second copy: at a billion parameters a temporary does not fit.</summary>
internal sealed class ParameterInit(Generator generator, double std, ScalarType dtype, Device? device)
{
    public Parameter Normal(params long[] shape)
    {
        using (no_grad())
        {
            Tensor values = empty(shape, dtype: dtype, device: device);
            values.normal_(0, std, generator);
            return new Parameter(values);
        }
    }

    /// <summary>Uniform within <paramref name="bound"/> of zero.</summary>
    public Parameter Uniform(double bound, params long[] shape)
    {
        using (no_grad())
        {
            Tensor values = empty(shape, dtype: dtype, device: device);
            values.uniform_(-bound, bound, generator);
            return new Parameter(values);
        }
    }

    /// <summary>(outputs, inputs), uniform within sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010).</summary>
    public Parameter GlorotUniform(long outputs, long inputs) => Uniform(Math.Sqrt(6.0 / (inputs + outputs)), outputs, inputs);

    public Parameter Constant(double value, params long[] shape) => new(full(shape, value, dtype: dtype, device: device));
}
