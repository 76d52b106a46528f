using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace ChemScale.Engine.Native;

/// <summary>
/// The BLAS inside the loaded libtorch, by pointer. Linux x64 packages export MKL's <c>sgemm_</c> and <c>dgemm_</c> (checked: 2.10, 2.11,
/// 2.13); macOS' and Arm's may or may not; Windows exports none. A call costs tens of nanoseconds, where the library's own operation costs a
/// microsecond or two before it begins.
/// </summary>
internal static unsafe class Blas
{
    /// <summary>An environment variable: "none" leaves all products to our own lanes, as on platforms whose libtorch exports no BLAS.</summary>
    public const string Variable = "CHEMSCALE_BLAS";

    private static readonly nint Single = Find("sgemm_"), Double = Find("dgemm_");

    private static readonly delegate* unmanaged[Cdecl]<int, int> SetThreads = (delegate* unmanaged[Cdecl]<int, int>)Find("MKL_Set_Num_Threads_Local");

    [ThreadStatic]
    private static bool alone;

    /// <summary>Whether there are products of both number types.</summary>
    public static bool Found => Single != 0 && Double != 0;

    /// <summary>Whether it was written for this processor: MKL is for Intel's own, and takes general kernels on others.</summary>
    public static bool IsTuned { get; } = Found && (SetThreads == null || !X86Base.IsSupported || X86Base.CpuId(0, 0).Ebx == 0x756E6547); // "Genu", ineIntel

    /// <summary>What it calls itself; null where there is none.</summary>
    public static string? Version { get; } = Describe();

    /// <summary>C (m, n) = A (m, k) B (k, n), or C += A B. Matrices are row-major; strides are between rows, in elements.</summary>
    /// <param name="m">Rows of A and C.</param>
    /// <param name="n">Columns of B and C.</param>
    /// <param name="k">Columns of A, rows of B.</param>
    /// <param name="a">A; where <paramref name="transposed"/>, its transpose: (k, m).</param>
    /// <param name="aStride">Of what is stored.</param>
    /// <param name="b">B</param>
    /// <param name="bStride">Of B.</param>
    /// <param name="c">C</param>
    /// <param name="cStride">Of C.</param>
    /// <param name="add">Whether C is added to.</param>
    /// <param name="transposed">Whether A is stored by columns.</param>
    public static void Multiply<T>(int m, int n, int k, T* a, int aStride, T* b, int bStride, T* c, int cStride, bool add, bool transposed = false)
        where T : unmanaged
    {
        // Outside of pieces of work, too, a product must not depend on how many threads there are.
        bool shared = !alone;
        int threads = shared ? UseOneThread() : 0;
        Product(m, n, k, a, aStride, b, bStride, c, cStride, add, transposed);
        if (shared) Restore(threads);
    }

    private static void Product<T>(int m, int n, int k, T* a, int aStride, T* b, int bStride, T* c, int cStride, bool add, bool transposed)
        where T : unmanaged
    {
        // Fortran sees the transposes: C' = B' A'.
        byte plain = (byte)'N', turned = (byte)'T';
        if (typeof(T) == typeof(float))
        {
            float one = 1, beta = add ? 1 : 0;
            ((delegate* unmanaged[Cdecl]<byte*, byte*, int*, int*, int*, float*, float*, int*, float*, int*, float*, float*, int*, void>)Single)(
                &plain, transposed ? &turned : &plain, &n, &m, &k, &one, (float*)b, &bStride, (float*)a, &aStride, &beta, (float*)c, &cStride);
        }
        else
        {
            double one = 1, beta = add ? 1 : 0;
            ((delegate* unmanaged[Cdecl]<byte*, byte*, int*, int*, int*, double*, double*, int*, double*, int*, double*, double*, int*, void>)Double)(
                &plain, transposed ? &turned : &plain, &n, &m, &k, &one, (double*)b, &bStride, (double*)a, &aStride, &beta, (double*)c, &cStride);
        }
    }

    /// <summary>
    /// From here to <see cref="Restore"/> products of the calling thread are made by that thread alone: pieces of work are shared among
    /// threads as wholes, and what a product gives must not depend on how many there are.
    /// </summary>
    /// <returns>What to restore.</returns>
    public static int UseOneThread()
    {
        alone = true;
        return SetThreads == null ? 0 : SetThreads(1);
    }

    public static void Restore(int threads)
    {
        alone = threads == 1;
        if (SetThreads != null) SetThreads(threads);
    }

    private static nint Find(string symbol)
    {
        NativeLibraries.EnsureLoaded();
        if (Environment.GetEnvironmentVariable(Variable) == "none") return 0;
        if (OperatingSystem.IsWindows() || RuntimeInformation.ProcessArchitecture != Architecture.X64 || NativeLibraries.TorchFolder is not { } folder) return 0;
        // Elsewhere the Fortran convention of what is exported was not looked at.
        return NativeLibrary.TryLoad(Path.Combine(folder, "libtorch_cpu.so"), out nint library) && NativeLibrary.TryGetExport(library, symbol, out nint entry)
            ? entry : 0;
    }

    private static string? Describe()
    {
        var version = (delegate* unmanaged[Cdecl]<byte*, int, void>)Find("MKL_Get_Version_String");
        if (!Found || version == null) return Found ? "BLAS of libtorch" : null;
        byte* text = stackalloc byte[256];
        new Span<byte>(text, 256).Clear();
        version(text, 255);
        return Marshal.PtrToStringUTF8((nint)text)?.Trim();
    }
}
