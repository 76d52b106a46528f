using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>Tests whose tensors go with them, and that leave the scopes they entered.</summary>
public abstract class OperatorFixture
{
    private DisposeScope scope = null!;

    [SetUp]
    public void Open() => scope = NewDisposeScope();

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        TestScope.Reset();
    }
}
