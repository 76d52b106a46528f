using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>
/// An edge's first latent features, from the elements of both atoms and their distance. The element of each atom enters the first matrix
/// as a row of it, one set of rows for receivers and one for senders: what one-hot vectors would pick.
/// </summary>
internal sealed class AllegroTwoBody
{
    private readonly AllegroMlp mlp;
    private readonly int elements;
    private readonly int radialFunctions;

    public AllegroTwoBody(ModulePath at, int elements, int radialFunctions, IReadOnlyList<int> widths, ParameterInit init, Tensor gain)
    {
        (this.elements, this.radialFunctions) = (elements, radialFunctions);
        mlp = new AllegroMlp(at, [2 * elements + radialFunctions, .. widths], init, gain);
    }

    /// <param name="pairs">(edges) int64: element of the receiver times the number of elements, plus element of the sender</param>
    /// <param name="radial">(edges, K)</param>
    /// <returns>(edges, D)</returns>
    public Tensor Forward(Tensor pairs, Tensor radial)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor matrix = mlp.Matrix(0);
        Tensor receivers = matrix.narrow(0, 0, elements), senders = matrix.narrow(0, elements, elements);
        Tensor rows = (receivers.unsqueeze(1) + senders.unsqueeze(0)).view(elements * elements, matrix.size(1));
        Tensor hidden = rows.index_select(0, pairs).addmm(radial, matrix.narrow(0, 2 * elements, radialFunctions));
        return mlp.AfterFirst(hidden).MoveToOuterDisposeScope();
    }
}
