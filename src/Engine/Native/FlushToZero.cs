using System.Runtime.InteropServices;

namespace ChemScale.Engine.Native;

/// <summary>
/// While it lives, subnormal numbers are zero for this thread, going in and coming out of its operations, and are not slow:
/// <c>using (FlushToZero.Enter()) native(...);</c>. A second belt, around calls of native code alone: managed code may be compiled when it is
/// first called, on this very thread, and a compiler that computes with its constants in this mode makes wrong code of them: lanes' numbers
/// 1, 2, 3 are subnormal when seen as floats. The mode is the thread's own, and threads inherit it from their maker. It does nothing where
/// there is no GNU C library, whose fegetmode and fesetmode are the way to it that .NET has not.
/// </summary>
internal readonly unsafe ref struct FlushToZero : IDisposable
{
    private static readonly delegate* unmanaged[Cdecl, SuppressGCTransition]<ulong*, int> Get = Find("fegetmode");
    private static readonly delegate* unmanaged[Cdecl, SuppressGCTransition]<ulong*, int> Set = Find("fesetmode");

    // <fenv.h>, femode_t: on x86-64 the x87 control word in the low half, MXCSR in the high one: FTZ and DAZ. On Arm64 FPCR: FZ.
    private static readonly ulong Bits = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 0x8040UL << 32,
        Architecture.Arm64 => 1UL << 24,
        _ => 0,
    };

    private readonly ulong before;
    private readonly bool isEntered;

    private FlushToZero(ulong before) => (this.before, isEntered) = (before, true);

    /// <summary>Whether this machine lets us.</summary>
    public static bool IsSupported => Get != null && Set != null && Bits != 0;

    public static FlushToZero Enter()
    {
        if (!IsSupported) return default;
        ulong before = 0;
        Get(&before);
        ulong mode = before | Bits;
        Set(&mode);
        return new FlushToZero(before);
    }

    public void Dispose()
    {
        if (!isEntered) return;
        ulong mode = before;
        Set(&mode);
    }

    private static delegate* unmanaged[Cdecl, SuppressGCTransition]<ulong*, int> Find(string name) =>
        OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libm.so.6", out nint library) && NativeLibrary.TryGetExport(library, name, out nint entry)
            ? (delegate* unmanaged[Cdecl, SuppressGCTransition]<ulong*, int>)entry
            : null;
}
