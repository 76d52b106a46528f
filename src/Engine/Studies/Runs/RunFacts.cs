using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Tasks;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>N and D of a training, from its real tensors and data.</summary>
public static class RunFacts
{
    /// <summary>Summed from the tensors; for models without embeddings, all parameters.</summary>
    public static long NonEmbeddingParameters(ITrainingTask task) => task is LanguageModelTask language
        ? language.ChemGpt.NonEmbeddingParameters
        : task.Model.parameters().Sum(p => p.numel());
}
