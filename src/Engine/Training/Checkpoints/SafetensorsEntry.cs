using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Checkpoints;

/// <summary>One tensor of a header; its bytes are <c>[Start, End)</c> of the data section.</summary>
public sealed record SafetensorsEntry(ScalarType Dtype, long[] Shape, long Start, long End)
{
    public override string ToString() => $"{SafetensorsDtype.Name(Dtype)} ({string.Join(", ", Shape)})";
}
