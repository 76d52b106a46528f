using ChemScale.Engine.Atoms;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

/// <summary>
/// Tells once of a charge or a spin that a model cannot know, and of elements that it was not trained on: those without a reference energy where others
/// have one. Its table has a row for them, so that it answers, but with what it was born with.
/// </summary>
internal sealed class UnseenElements
{
    private readonly double[] references;
    private readonly bool known;
    private readonly HashSet<int> told = [];
    private readonly Action<string> warn;
    private readonly ForceFieldConfig config;
    private bool toldOfCharge;

    public UnseenElements(ForceField model, Action<string> warn)
    {
        using DisposeScope scope = NewDisposeScope();
        references = model.ReferenceEnergies.cpu().data<double>().ToArray();
        known = references.Any(energy => energy != 0);
        this.warn = warn;
        config = model.Config;
    }

    public void Look(Frame frame)
    {
        if (!toldOfCharge && !config.ReadsCharge && (frame.Charge != 0 || frame.Spin != 0))
        {
            toldOfCharge = true;
            string found = FormattableString.Invariant($"{frame.Place}: charge {frame.Charge}, spin {frame.Spin}");
            warn($"{found}, which {config.Title} does not read: it answers as for what it was trained on");
        }
        if (!known) return;
        foreach (int element in frame.AtomicNumbers)
        {
            if (element >= references.Length || references[element] != 0 || !told.Add(element)) continue;
            warn($"{frame.Place}: no {Elements.Symbol(element)} in what the model was trained on; its predictions mean nothing there");
        }
    }
}
