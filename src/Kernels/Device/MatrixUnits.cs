namespace ChemScale.Kernels.Device;

/// <summary>What of a device multiplies small matrices of bfloat16.</summary>
public enum MatrixUnits
{
    None,

    /// <summary>Those of NVIDIA devices from sm_80 on.</summary>
    TensorCores,

    /// <summary>The CPU's warps play them, for tests.</summary>
    Emulated,
}
