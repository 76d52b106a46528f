using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.PaiNN;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>One layer of PaiNN: messages between atoms, then mixing of scalars and vectors within each atom.</summary>
internal sealed class PaiNNInteraction
{
    private readonly double epsilon;
    private readonly Dense messageContext1;
    private readonly Dense messageContext2;
    private readonly Dense vectorMix;
    private readonly Dense mixContext1;
    private readonly Dense mixContext2;

    /// <param name="at">Where its tensors go.</param>
    /// <param name="config">Features and epsilon.</param>
    /// <param name="init">Makes the parameters.</param>
    public PaiNNInteraction(ModulePath at, PaiNNConfig config, ParameterInit init)
    {
        int features = config.Features;
        epsilon = config.NormEpsilon;
        messageContext1 = at.Add("message1", new Dense(features, features, init));
        messageContext2 = at.Add("message2", new Dense(features, 3 * features, init));
        vectorMix = at.Add("vector_mix", new Dense(features, 2 * features, init, bias: false));
        mixContext1 = at.Add("mix1", new Dense(2 * features, features, init));
        mixContext2 = at.Add("mix2", new Dense(features, 3 * features, init));
    }

    /// <param name="scalars">(atoms, F) q</param>
    /// <param name="vectors">(atoms, 3, F) mu; null: zero</param>
    /// <param name="pairs">The edges.</param>
    /// <param name="filter">(3 F, K + 1) this layer's rows of the filter network, weights and bias side by side</param>
    public (Tensor Scalars, Tensor Vectors) Forward(Tensor scalars, Tensor? vectors, PaiNNPairs pairs, Tensor filter)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor context = messageContext2.Forward(nn.functional.silu(messageContext1.Forward(scalars)));
        (Tensor dq, Tensor dmu) = PaiNNMessage.Apply(context, vectors, pairs, filter);
        Tensor q = scalars + dq, mu = vectors is null ? dmu : vectors + dmu;
        Tensor mixed = vectorMix.Forward(mu);
        (Tensor norm, Tensor product) = PaiNNInvariants.Apply(mixed, epsilon);
        Tensor mixContext = mixContext2.Forward(nn.functional.silu(mixContext1.Forward(cat([q, norm], 1))));
        (q, mu) = PaiNNUpdate.Apply(q, mu, mixContext, product, mixed);
        return (q.MoveToOuterDisposeScope(), mu.MoveToOuterDisposeScope());
    }

    /// <summary>The published implementation keeps messages and mixing apart.</summary>
    public IEnumerable<(string Name, Parameter Weight)> Named(string message, string mixing) =>
    [
        .. messageContext1.Named(message + ".interatomic_context_net.0"), .. messageContext2.Named(message + ".interatomic_context_net.1"),
        .. mixContext1.Named(mixing + ".intraatomic_context_net.0"), .. mixContext2.Named(mixing + ".intraatomic_context_net.1"),
        .. vectorMix.Named(mixing + ".mu_channel_mix"),
    ];
}
