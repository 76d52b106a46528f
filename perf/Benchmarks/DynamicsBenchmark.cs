using System.Globalization;
using System.Text.Json.Nodes;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Simulation;
using ChemScale.Perf.Measuring;

namespace ChemScale.Perf.Benchmarks;

/// <summary>
/// Steps of Langevin dynamics on a force field with made-up weights, neighbour list, thermostat and what is reported of a step included: ethanol,
/// aspirin, and 64 ethanol in a periodic box as dense as the liquid.
/// </summary>
internal sealed class DynamicsBenchmark : Benchmark
{
    // A repeat takes about as long whatever the system.
    private const int AtomSteps = 600;

    // Short: forces of made-up weights bind nothing.
    private const double TimestepFs = 0.05;

    public override string Name => "dynamics";

    public override string Summary => "steps of molecular dynamics on SchNet and PaiNN, neighbour list and thermostat included";

    public override bool IsAgainstRates => false;

    public override void Run(BenchmarkRun run)
    {
        foreach (string model in run.Settings.Models)
            foreach (string system in run.Settings.Systems) Move(run, model, system);
    }

    private static void Move(BenchmarkRun run, string model, string system)
    {
        RunSettings s = run.Settings;
        Frame start = system == "box" ? ForceFieldCase.Box(4) : ForceFieldCase.Frames(system, 1)[0];
        var settings = new ForceFieldCase.Settings(model, s.Features, s.Interactions, s.Functions, Elements: 100, Cutoff: 5, Threads: 1);
        int steps = s.Quick ? 2 : Math.Max(1, AtomSteps / start.Atoms);
        var parameters = new JsonObject
        {
            ["model"] = model,
            ["system"] = system,
            ["atoms"] = start.Atoms,
            ["features"] = s.Features,
            ["interactions"] = s.Interactions,
        };
        SidePlan[] plans = [.. s.ModesOr("auto", "composed").Where(m => m != "library").Select(m => new SidePlan(m, OperatorModes.Parse(m), 5e6 * start.Atoms))];
        var processor = new Dictionary<string, double>();
        run.Compare(new Case(parameters, null, steps, "steps"), [new Pass(Pass.Step)], plans, scope =>
        {
            ForceField field = scope.Keep(settings.Create(s.Device));
            return plan => clock =>
            {
                using var potential = new ForceFieldPotential(field);
                var state = new MolecularState(start, potential);
                InitialMomenta.Draw(state, 300 * MechanicalUnits.Boltzmann, seed: 1);
                var integrator = new LangevinBaoab(TimestepFs * MechanicalUnits.Femtosecond, 300 * MechanicalUnits.Boltzmann, 10 / MechanicalUnits.Picosecond, seed: 1);
                TimeSpan before = Environment.CpuUsage.TotalTime;
                clock.Time(Pass.Step, () =>
                {
                    for (int step = 0; step < steps; step++)
                    {
                        integrator.Step(state);
                        if (!double.IsFinite(state.PotentialEnergy + state.KineticEnergy + state.MaximumForce)) throw new InvalidOperationException("it blew up");
                    }
                });
                double seconds = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
                processor[plan.Name] = Math.Min(processor.GetValueOrDefault(plan.Name, double.MaxValue), seconds);
            };
        }, more: (side, _) => new JsonObject { ["bestStepsPerProcessorSecond"] = steps / processor[side] });
        foreach ((string side, double least) in processor)
            run.Note(string.Create(CultureInfo.InvariantCulture, $"{Case.Text(parameters)}: {side} at {steps / least:G4} steps per processor second, best of all"));
    }
}
