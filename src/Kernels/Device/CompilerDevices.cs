using ILGPU;

namespace ChemScale.Kernels.Device;

/// <summary>The accelerators ILGPU can target on this machine; its CPU accelerator is always one.</summary>
public static class CompilerDevices
{
    public static IReadOnlyList<string> List()
    {
        using Context context = Context.Create(builder => builder.AllAccelerators());
        return [.. context.Devices.Select(device => $"{device.AcceleratorType}: {device.Name}")];
    }
}
