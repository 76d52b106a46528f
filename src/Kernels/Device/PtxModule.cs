namespace ChemScale.Kernels.Device;

/// <summary>A compiled kernel.</summary>
/// <param name="EntryPoint">Its name in the module.</param>
/// <param name="Architecture">sm_80 and its like.</param>
/// <param name="Text">PTX</param>
public sealed record PtxModule(string EntryPoint, string Architecture, string Text);
