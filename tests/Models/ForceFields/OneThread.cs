using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models.ForceFields;

/// <summary>Tiny models gain nothing from threads, and on a busy machine threads that wait for each other lose much.</summary>
[SetUpFixture]
public sealed class OneThread
{
    private int before;

    [OneTimeSetUp]
    public void Reduce()
    {
        before = get_num_threads();
        set_num_threads(1);
    }

    [OneTimeTearDown]
    public void Restore() => set_num_threads(before);
}
