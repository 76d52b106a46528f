using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>
/// ChemGPT's tensors under the names of Hugging Face's GPTNeoForCausalLM (<c>transformer.h.0.attn.attention.q_proj.weight</c>), so that
/// published weights can be read and ours used elsewhere. The tensors are views: writing to one writes to the model.
/// </summary>
internal static class ChemGptWeights
{
    public static IEnumerable<(string Name, Tensor View)> Named(ChemGpt model) =>
        Map(model, parameter => parameter.detach());

    /// <summary>
    /// The tensors of a GPTNeoForCausalLM that computes the same as this model: copies, with what muP multiplies scores by in the queries and
    /// what it multiplies logits by in the final norm, which nothing but the head reads.
    /// </summary>
    public static IEnumerable<(string Name, Tensor Copy)> Plain(ChemGpt model)
    {
        using var gradients = no_grad();
        foreach ((string name, Tensor view) in Named(model))
        {
            using Tensor source = view;
            double factor = name.Contains(".q_proj.") ? model.Scaling.Scores : name.Contains(".ln_f.") ? model.Scaling.Logits : 1;
            yield return (name, source * factor);
        }
    }

    /// <summary>Gradients under the same names; null where a parameter has none.</summary>
    public static IEnumerable<(string Name, Tensor? View)> NamedGradients(ChemGpt model) =>
        Map(model, parameter => parameter.grad);

    /// <summary>Copies values into the model, converting the number type.</summary>
    /// <param name="model">Written.</param>
    /// <param name="find">The tensor of a name, or null. Read once per name.</param>
    /// <param name="place">What to name in an error: the file.</param>
    /// <exception cref="InputException">A name is missing, a shape differs, or the model multiplies by what a GPT-Neo does not.</exception>
    public static void Load(ChemGpt model, Func<string, Tensor?> find, string place)
    {
        if (model.Scaling is not { Scores: 1, Logits: 1 })
            throw new InputException(place, "weights for the standard parametrization", "a standard model to take them", "its base width makes a muP model standard");
        using var gradients = no_grad();
        foreach ((string name, Tensor view) in Named(model))
        {
            using Tensor target = view;
            using Tensor source = find(name) ?? throw new InputException(place, $"no tensor '{name}'", "the tensors of a GPTNeoForCausalLM");
            if (!source.shape.SequenceEqual(target.shape))
            {
                throw new InputException(place, $"'{name}' has shape ({string.Join(", ", source.shape)})",
                    $"({string.Join(", ", target.shape)})", "the model's layers, width, positions or vocabulary differ");
            }
            target.copy_(source);
        }
    }

    private static IEnumerable<(string Name, T View)> Map<T>(ChemGpt model, Func<Parameter, T> view)
        where T : Tensor?
    {
        yield return ("transformer.wte.weight", view(model.TokenTable));
        yield return ("transformer.wpe.weight", view(model.PositionTable));
        for (int layer = 0; layer < model.Blocks.Count; layer++)
        {
            ChemGptBlock block = model.Blocks[layer];
            string at = $"transformer.h.{layer}.";
            long h = model.Config.Width;
            yield return (at + "ln_1.weight", view(block.Norm1Weight));
            yield return (at + "ln_1.bias", view(block.Norm1Bias));
            string[] parts = ["q_proj", "k_proj", "v_proj"];
            for (int part = 0; part < 3; part++)
                yield return (at + $"attn.attention.{parts[part]}.weight", (T)view(block.QueryKeyValue)?.narrow(0, part * h, h)!);
            yield return (at + "attn.attention.out_proj.weight", view(block.ProjectionWeight));
            yield return (at + "attn.attention.out_proj.bias", view(block.ProjectionBias));
            yield return (at + "ln_2.weight", view(block.Norm2Weight));
            yield return (at + "ln_2.bias", view(block.Norm2Bias));
            yield return (at + "mlp.c_fc.weight", view(block.ExpandWeight));
            yield return (at + "mlp.c_fc.bias", view(block.ExpandBias));
            yield return (at + "mlp.c_proj.weight", view(block.ContractWeight));
            yield return (at + "mlp.c_proj.bias", view(block.ContractBias));
        }
        yield return ("transformer.ln_f.weight", view(model.FinalNormWeight));
        yield return ("transformer.ln_f.bias", view(model.FinalNormBias));
    }
}
