using System.Runtime.InteropServices;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Units;

namespace ChemScale.Tests.Atoms.Embedded;

/// <summary>GFN2-xTB of neutral closed-shell molecules through libxtb's C interface, where it is installed.</summary>
internal static partial class Xtb
{
    private const string Library = "libxtb.so.6";
    private const double Accuracy = 0.01;

    public static bool IsInstalled => NativeLibrary.TryLoad(Library, out _);

    /// <summary>eV, and (atoms, 3) eV/A.</summary>
    public static (double Energy, double[] Forces) Gfn2(Frame frame)
    {
        PhysicalConstants constants = PhysicalConstants.Codata2018;
        double[] bohr = [.. frame.Positions.Select(x => x / constants.Bohr)], gradient = new double[bohr.Length];
        nint environment = xtb_newEnvironment(), calculator = xtb_newCalculator(), results = xtb_newResults();
        xtb_setVerbosity(environment, 0);
        nint molecule = xtb_newMolecule(environment, frame.Atoms, frame.AtomicNumbers, bohr, 0, 0, new double[9], new byte[3]);
        xtb_loadGFN2xTB(environment, molecule, calculator, 0);
        xtb_setAccuracy(environment, calculator, Accuracy);
        xtb_singlepoint(environment, molecule, calculator, results);
        xtb_getEnergy(environment, results, out double energy);
        xtb_getGradient(environment, results, gradient);
        xtb_delResults(ref results);
        xtb_delCalculator(ref calculator);
        xtb_delMolecule(ref molecule);
        xtb_delEnvironment(ref environment);
        return (energy * constants.Hartree, [.. gradient.Select(g => -g * constants.Hartree / constants.Bohr)]);
    }

    [LibraryImport(Library)]
    private static partial nint xtb_newEnvironment();

    [LibraryImport(Library)]
    private static partial nint xtb_newCalculator();

    [LibraryImport(Library)]
    private static partial nint xtb_newResults();

    [LibraryImport(Library)]
    private static partial void xtb_setVerbosity(nint environment, int verbosity);

    [LibraryImport(Library)]
    private static partial nint xtb_newMolecule(
        nint environment, in int atoms, int[] numbers, double[] bohr, in double charge, in int unpaired, double[] lattice, byte[] periodic);

    [LibraryImport(Library)]
    private static partial void xtb_loadGFN2xTB(nint environment, nint molecule, nint calculator, nint file);

    [LibraryImport(Library)]
    private static partial void xtb_setAccuracy(nint environment, nint calculator, double accuracy);

    [LibraryImport(Library)]
    private static partial void xtb_singlepoint(nint environment, nint molecule, nint calculator, nint results);

    [LibraryImport(Library)]
    private static partial void xtb_getEnergy(nint environment, nint results, out double energy);

    [LibraryImport(Library)]
    private static partial void xtb_getGradient(nint environment, nint results, [Out] double[] gradient);

    [LibraryImport(Library)]
    private static partial void xtb_delEnvironment(ref nint environment);

    [LibraryImport(Library)]
    private static partial void xtb_delMolecule(ref nint molecule);

    [LibraryImport(Library)]
    private static partial void xtb_delCalculator(ref nint calculator);

    [LibraryImport(Library)]
    private static partial void xtb_delResults(ref nint results);
}
