using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;
using NUnit.Framework;

namespace ChemScale.Tests.Atoms.Formats;

/// <summary>Files of other programs, against the values that those programs read from them.</summary>
public class FrameReferenceTests
{
    private static readonly FrameReadOptions Calories = new() { Energy = EnergyUnit.KilocaloriePerMole };
    private static readonly FrameReadOptions Hartrees = new() { Energy = EnergyUnit.Hartree };

    [TestCaseSource(nameof(ExtXyzFiles))]
    public void Frames_written_by_ASE_equal_the_recorded_values(string file)
    {
        NpzArchive values = Values(file);
        Frame[] frames = [.. FrameFiles.Read(file)];
        Assert.That(frames, Has.Length.EqualTo(values["E"].Length));
        Assert.That(All(frames, f => f.AtomicNumbers.Select(n => (double)n)), Is.EqualTo(values["Z"].Doubles()));
        Assert.That(All(frames, f => f.Positions), Is.EqualTo(values["pos"].Doubles()));
        Assert.That(All(frames, f => f.Forces!), Is.EqualTo(values["F"].Doubles()));
        Assert.That(All(frames, f => f.Cell!), Is.EqualTo(values["cell"].Doubles()));
        Assert.That(All(frames, f => [f.Energy!.Value]), Is.EqualTo(values["E"].Doubles()));
        Expect.Close(All(frames, f => [f.Volume]), values["volume"].Doubles(), absolute: 1e-9);
        Assert.That(All(frames, f => f.Periodic.Select(p => p ? 1.0 : 0)), Is.EqualTo(values["pbc"].Doubles()));
        Expect.Close(All(frames, Voigt), values["stress_voigt"].Doubles(), absolute: 1e-15);
        Expect.Close(All(frames, f => f.Stress!.Select(s => -f.Volume * s)), values["virial"].Doubles(), absolute: 1e-10);
    }

    [TestCaseSource(nameof(Databases))]
    public void Rows_of_an_ASE_database_equal_the_recorded_values(string file)
    {
        NpzArchive values = Values(file);
        Frame[] frames = [.. FrameFiles.Read(file)];
        Frame[] schnet = [.. frames.Where(f => f.Atoms == values["schnet_Z"].Length)], cu = [.. frames.Except(schnet)];
        double calorie = EnergyUnit.KilocaloriePerMole.ElectronVolts;
        Assert.That(schnet.Select(f => f.AtomicNumbers.Select(n => (long)n)), Is.All.EqualTo(values["schnet_Z"].Integers()));
        Assert.That(All(schnet, f => f.Positions), Is.EqualTo(values["schnet_pos"].Doubles()));
        Assert.That(All(schnet, f => [f.Energy!.Value]), Is.EqualTo(values["schnet_energy"].Doubles().Select(e => e * calorie)));
        Assert.That(All(schnet, f => f.Forces!), Is.EqualTo(values["schnet_forces"].Doubles().Select(f => f * calorie)));
        Assert.That(All(cu, f => f.AtomicNumbers.Select(n => (double)n)), Is.EqualTo(values["cu_Z"].Doubles()));
        Assert.That(All(cu, f => f.Positions), Is.EqualTo(values["cu_pos"].Doubles()));
        Assert.That(All(cu, f => f.Cell!), Is.EqualTo(values["cu_cell"].Doubles()));
        Assert.That(All(cu, f => [f.Energy!.Value]), Is.EqualTo(values["cu_energy"].Doubles()));
        Assert.That(All(cu, f => f.Forces!), Is.EqualTo(values["cu_forces"].Doubles()));
        Expect.Close(All(cu, Voigt), values["cu_stress_voigt"].Doubles(), absolute: 1e-15);
        Assert.That(schnet.Select(f => f.IsPeriodic).Distinct(), Is.EqualTo((bool[])[false]));
        Assert.That(() => FrameFiles.Read(file, Hartrees).ToArray(), Refused.With("energies in kcal/mol by its own account"));
    }

    [TestCaseSource(nameof(LegacyFiles))]
    public void Legacy_MD17_keys_are_read(string file)
    {
        NpzArchive raw = NpzArchive.Open(file);
        CheckCalories(FrameFiles.Read(file, Calories).ToArray(), raw["z"], raw["R"], raw["E"], raw["F"]);
        Assert.That(raw["md5"].Texts()[0], Has.Length.EqualTo(32));
        Assert.That(() => FrameFiles.Read(file), Refused.With("unit of energy not stated"));
    }

    [TestCaseSource(nameof(RevisedFiles))]
    public void Revised_MD17_keys_are_read(string file)
    {
        NpzArchive raw = NpzArchive.Open(file);
        CheckCalories(FrameFiles.Read(file, Calories).ToArray(), raw["nuclear_charges"], raw["coords"], raw["energies"], raw["forces"]);
    }

    [TestCaseSource(nameof(Ani1xFiles))]
    public void The_ANI_1x_layout_is_read_and_absent_labels_stay_absent(string file)
    {
        NpzArchive values = Values(file);
        Frame[] frames = [.. FrameFiles.Read(file, Hartrees)];
        string[] formulas = [.. values.Names.Select(name => name.Split('|')[0]).Distinct().Order(StringComparer.Ordinal)];
        double[] Expected(string set) => [.. formulas.SelectMany(formula => values[$"{formula}|{set}"].Doubles())];
        double hartree = EnergyUnit.Hartree.ElectronVolts;
        Assert.That(All(frames, f => f.Positions), Is.EqualTo(Expected("coordinates")));
        Assert.That(All(frames, f => [f.Energy!.Value]), Is.EqualTo(Expected("wb97x_dz.energy").Select(e => e * hartree)));
        Assert.That(All(frames, f => f.Forces!), Is.EqualTo(Expected("wb97x_dz.forces").Select(f => f * hartree)));
        Assert.That(frames.Count(f => f.HasEnergy && f.HasForces), Is.EqualTo(Usable(values, formulas)));
        Expect.Above(frames.Count(f => f.HasEnergy), frames.Count(f => f.HasForces));
        Assert.That(frames[0].Keys, Is.EqualTo(new LabelKeys("wb97x_dz.energy", "wb97x_dz.forces", null)));
    }

    [TestCaseSource(nameof(Comp6Files))]
    public void COMP6_forces_are_gradients_where_that_is_stated(string file)
    {
        Frame[] asStored = [.. FrameFiles.Read(file, Hartrees)];
        Frame[] turned = [.. FrameFiles.Read(file, Hartrees with { ForcesAreGradients = true })];
        Assert.That(asStored, Has.Length.EqualTo(turned.Length));
        Assert.That(All(turned, f => f.Forces!), Is.EqualTo(All(asStored, f => f.Forces!).Select(f => -f)));
        Assert.That(turned.All(f => f.HasEnergy && f.HasForces));

        // Along a dimer's separation, -F . (displacement) explains the change of energy; the wrong sign has the wrong slope.
        double agreement = 0;
        foreach (Frame[] scan in turned.Chunk(8))
        {
            for (int f = 0; f + 1 < scan.Length; f++)
            {
                double work = 0;
                for (int i = 0; i < scan[f].Positions.Length; i++)
                {
                    work -= (scan[f].Forces![i] + scan[f + 1].Forces![i]) / 2 * (scan[f + 1].Positions[i] - scan[f].Positions[i]);
                }
                agreement += work * (scan[f + 1].Energy!.Value - scan[f].Energy!.Value);
            }
        }
        Expect.Above(agreement, 0);
    }

    [TestCaseSource(nameof(DftFiles))]
    public void Frames_of_DFT_files_have_the_labels_their_columns_say(string file)
    {
        Frame[] frames = [.. FrameFiles.Read(file)];
        string text = File.ReadAllText(file);
        Assert.That(frames, Has.Length.EqualTo(text.Split("Properties=").Length - 1));
        Assert.That(frames.All(f => f.HasEnergy && f.ConfigType is not null && !f.IsPeriodic));
        Assert.That(frames.Count(f => f.HasForces), Is.EqualTo(text.Split("forces:R:3").Length - 1));
    }

    private static IEnumerable<TestCaseData> ExtXyzFiles() => ReferenceData.Cases("fixtures", "cu_emt_*.extxyz");

    private static IEnumerable<TestCaseData> Databases() => ReferenceData.Cases("fixtures", "ase_*.db");

    private static IEnumerable<TestCaseData> LegacyFiles() => ReferenceData.Cases("fixtures", "md17_legacy_*.npz");

    private static IEnumerable<TestCaseData> RevisedFiles() => ReferenceData.Cases("rmd17", "*_test_01.npz");

    private static IEnumerable<TestCaseData> Ani1xFiles() => ReferenceData.Cases("fixtures", "ani1x_like*.h5");

    private static IEnumerable<TestCaseData> Comp6Files() => ReferenceData.Cases("hdf5", "s66x8*.h5");

    private static IEnumerable<TestCaseData> DftFiles() => ReferenceData.Cases("extxyz", "*.xyz");

    private static NpzArchive Values(string file) =>
        NpzArchive.Open(Path.Combine(Path.GetDirectoryName(file)!, Path.GetFileNameWithoutExtension(file) + "_values.npz"));

    private static double[] All(Frame[] frames, Func<Frame, IEnumerable<double>> values) => [.. frames.SelectMany(values)];

    private static IEnumerable<double> Voigt(Frame frame) => ((int[])[0, 4, 8, 5, 2, 1]).Select(index => frame.Stress![index]);

    private static void CheckCalories(Frame[] frames, NpyArray numbers, NpyArray positions, NpyArray energies, NpyArray forces)
    {
        double calorie = EnergyUnit.KilocaloriePerMole.ElectronVolts;
        Assert.That(frames.Select(f => f.AtomicNumbers.Select(n => (long)n)), Is.All.EqualTo(numbers.Integers()));
        Assert.That(All(frames, f => f.Positions).SequenceEqual(positions.Doubles()));
        Assert.That(All(frames, f => [f.Energy!.Value]).SequenceEqual(energies.Doubles().Select(e => e * calorie)));
        Assert.That(All(frames, f => f.Forces!).SequenceEqual(forces.Doubles().Select(f => f * calorie)));
    }

    private static int Usable(NpzArchive values, string[] formulas)
    {
        int usable = 0;
        foreach (string formula in formulas)
        {
            double[] energies = values[$"{formula}|wb97x_dz.energy"].Doubles(), forces = values[$"{formula}|wb97x_dz.forces"].Doubles();
            int width = forces.Length / energies.Length;
            for (int f = 0; f < energies.Length; f++)
                if (!double.IsNaN(energies[f]) && !forces.Skip(f * width).Take(width).Any(double.IsNaN)) usable++;
        }
        return usable;
    }
}
