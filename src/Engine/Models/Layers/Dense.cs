using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.Layers;

/// <summary>y = x W^T + b, with Glorot's uniform weights and zero bias.</summary>
internal sealed class Dense : nn.Module
{
    /// <param name="inputs">Columns of W.</param>
    /// <param name="outputs">Rows of W.</param>
    /// <param name="init">Makes the parameters.</param>
    /// <param name="bias">Whether there is one.</param>
    public Dense(int inputs, int outputs, ParameterInit init, bool bias = true)
        : base(nameof(Dense))
    {
        Weight = init.GlorotUniform(outputs, inputs);
        register_parameter("weight", Weight);
        if (!bias) return;
        Bias = init.Constant(0, outputs);
        register_parameter("bias", Bias);
    }

    /// <summary>(outputs, inputs)</summary>
    public Parameter Weight { get; }

    /// <summary>(outputs)</summary>
    public Parameter? Bias { get; }

    public static long Count(long inputs, long outputs, bool bias = true) => inputs * outputs + (bias ? outputs : 0);

    /// <param name="x">(..., inputs)</param>
    /// <returns>(..., outputs)</returns>
    public Tensor Forward(Tensor x) => nn.functional.linear(x, Weight, Bias);

    /// <summary>The parameters as <c>name.weight</c> and <c>name.bias</c>.</summary>
    public IEnumerable<(string Name, Parameter Weight)> Named(string name)
    {
        yield return (name + ".weight", Weight);
        if (Bias is not null) yield return (name + ".bias", Bias);
    }
}

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
