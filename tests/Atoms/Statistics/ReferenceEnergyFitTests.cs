using ChemScale.Engine.Atoms.Statistics;
using NUnit.Framework;

namespace ChemScale.Tests.Atoms.Statistics;

public class ReferenceEnergyFitTests
{
    [Test]
    public void Energies_made_from_elements_give_them_back_to_the_last_digits()
    {
        Dictionary<int, double> truth =
            new() { [1] = -13.568422178253735, [6] = -1026.8538996116154, [8] = -2037.796869412825, [79] = 1e-3 };
        ReferenceEnergyFit fit = new();
        Random random = new(1);
        for (int frame = 0; frame < 2000; frame++)
        {
            int[] atoms = [.. Enumerable.Range(0, random.Next(1, 30)).Select(_ => truth.Keys.ElementAt(random.Next(frame == 0 ? 4 : 3)))];
            fit.Add(atoms, atoms.Sum(number => truth[number]));
        }
        fit.Add([79], truth[79]);
        IReadOnlyDictionary<int, double> found = fit.Solve();
        Assert.That(found.Keys, Is.EqualTo(truth.Keys));
        foreach ((int number, double energy) in truth) Expect.Close(found[number], energy, absolute: 1e-9);
        Expect.Below(fit.Residual(found), 1e-8);
    }

    [Test]
    public void One_molecule_alone_shares_its_energy_evenly_and_leaves_its_spread()
    {
        ReferenceEnergyFit fit = new();
        int[] ethanol = [6, 6, 8, 1, 1, 1, 1, 1, 1];
        foreach (double energy in (double[])[-4209.0, -4209.6, -4208.4]) fit.Add(ethanol, energy);
        IReadOnlyDictionary<int, double> found = fit.Solve();
        Expect.AllClose(found.Values, -4209.0 / 9, absolute: 1e-9);
        Expect.Close(fit.MeanPerAtom(), -4209.0 / 9, absolute: 1e-9);
        Expect.Close(fit.Residual(found), Math.Sqrt(0.24), absolute: 1e-9);
    }

    [Test]
    public void Noisy_energies_give_the_solution_of_the_normal_equations()
    {
        // Counts (1,0), (1,1), (0,2) with energies 1, 4, 5: [[2,1],[1,5]] e = [5, 14], so e = (11/9, 23/9).
        ReferenceEnergyFit fit = new();
        fit.Add([1], 1);
        fit.Add([1, 8], 4);
        fit.Add([8, 8], 5);
        Expect.Close(fit.Solve().Values, (double[])[11.0 / 9, 23.0 / 9], absolute: 1e-12);
    }

    [Test]
    public void No_frames_give_no_energies() => Assert.That(new ReferenceEnergyFit().Solve(), Is.Empty);
}
