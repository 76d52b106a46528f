using ChemScale.Engine.Files;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Native;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models;

/// <summary>What a model keeps in a checkpoint, for every family at its default size.</summary>
public sealed class ModelTensorsTests
{
    private static readonly string[] Families = [.. ModelFamily.All.Select(family => family.Name)];

    [TestCaseSource(nameof(Families))]
    public void Every_parameter_and_buffer_is_stored_once_and_contiguous(string family)
    {
        using nn.Module model = Default(family);
        Dictionary<string, Tensor> stored = model.state_dict();
        var names = model.named_parameters().Select(p => p.name).Concat(model.named_buffers().Select(b => b.name)).ToList();
        Assert.That(stored.Keys, Is.EquivalentTo(names));
        var places = new Dictionary<nint, string>();
        foreach ((string name, Tensor tensor) in stored)
        {
            Assert.That(tensor.is_contiguous(), name);
            using var memory = new TensorMemory(tensor);
            Assert.That(places.TryAdd(memory.Address, name), $"{name} is {places.GetValueOrDefault(memory.Address)} again");
        }
    }

    [TestCaseSource(nameof(Families))]
    public void A_checkpoint_gives_every_tensor_back_to_the_bit(string family)
    {
        using var folder = new TemporaryFolder();
        using nn.Module trained = Default(family), loaded = Default(family, seed: 1);
        var store = new CheckpointStore(folder["c"], DiskStorage.Shared);
        store.Save(1, trained.state_dict(), [], [], () => { });
        store.OpenNewest(Assert.Fail)!.LoadWeights(loaded);
        AssertSame(loaded, trained);
    }

    // As version 0.3 wrote them: the weights of an interaction under the names of its fields, too.
    [TestCase("painn", "message1=messageContext1 message2=messageContext2 vector_mix=vectorMix mix1=mixContext1 mix2=mixContext2", 27)]
    [TestCase("schnet", "in2f=input", 3)]
    public void Weights_stored_under_their_former_names_load(string family, string former, int twice)
    {
        using var folder = new TemporaryFolder();
        using nn.Module trained = Default(family);
        Dictionary<string, string> names = former.Split(' ').Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        KeyValuePair<string, Tensor>[] tensors = [.. trained.state_dict()];
        KeyValuePair<string,
            Tensor>[] renamed = [.. tensors.Select(t => KeyValuePair.Create(string.Join('.', t.Key.Split('.').Select(s => names.GetValueOrDefault(s, s))), t.Value))];
        KeyValuePair<string, Tensor>[] both = [.. tensors.Concat(renamed).DistinctBy(t => t.Key)];
        Assert.That(both, Has.Length.EqualTo(tensors.Length + twice));
        var store = new CheckpointStore(folder["c"], DiskStorage.Shared);
        foreach (KeyValuePair<string, Tensor>[] stored in (KeyValuePair<string, Tensor>[][])[both, renamed])
        {
            using nn.Module loaded = Default(family, seed: 1);
            store.Save(1, stored, [], [], () => { });
            store.OpenNewest(Assert.Fail)!.LoadWeights(loaded);
            AssertSame(loaded, trained);
        }
        using Tensor stray = ones(1);
        using nn.Module other = Default(family, seed: 1);
        store.Save(2, both.Append(KeyValuePair.Create("interaction0.elsewhere.weight", stray)), [], [], () => { });
        Assert.That(() => store.OpenNewest(Assert.Fail)!.LoadWeights(other), Throws.TypeOf<SafetensorsException>().With.Message.Contains("interaction0.elsewhere.weight"));
    }

    private static nn.Module Default(string family, long seed = 0)
    {
        object config = Activator.CreateInstance(ModelFamily.All.First(f => f.Name == family).ConfigType)!;
        return config is ForceFieldConfig field ? field.Create(seed) : new ChemGpt((ChemGptConfig)config, seed);
    }

    private static void AssertSame(nn.Module found, nn.Module expected)
    {
        Dictionary<string, Tensor> tensors = found.state_dict();
        foreach ((string name, Tensor tensor) in expected.state_dict())
            Assert.That(tensors[name].bytes.SequenceEqual(tensor.bytes), name);
    }
}
