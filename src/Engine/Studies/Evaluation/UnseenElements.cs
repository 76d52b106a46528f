using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models.ForceFields;
using TorchSharp;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>
/// Tells of elements that a model was not trained on: those without a reference energy where others have one. Its table has a row for
/// them, so that it answers, but with what it was born with.
/// </summary>
internal sealed class UnseenElements
{
    private readonly double[] _references;
    private readonly bool _known;
    private readonly HashSet<int> _told = [];
    private readonly Action<string> _warn;

    public UnseenElements(ForceField model, Action<string> warn)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        _references = model.ReferenceEnergies.cpu().data<double>().ToArray();
        _known = _references.Any(energy => energy != 0);
        _warn = warn;
    }

    public void Look(Frame frame)
    {
        if (!_known) return;
        foreach (int element in frame.AtomicNumbers)
        {
            if (element >= _references.Length || _references[element] != 0 || !_told.Add(element)) continue;
            _warn($"{frame.Place}: no {Elements.Symbol(element)} in what the model was trained on; its predictions mean nothing there");
        }
    }
}
