namespace ChemScale.Engine.Operators;

/// <summary>One term of a tensor product: output[Output] += Value left[Left] right[Right].</summary>
/// <param name="Output">Component of the result.</param>
/// <param name="Left">Component of the first factor.</param>
/// <param name="Right">Component of the second factor.</param>
/// <param name="Value">Not zero.</param>
public readonly record struct TensorProductEntry(int Output, int Left, int Right, double Value);
