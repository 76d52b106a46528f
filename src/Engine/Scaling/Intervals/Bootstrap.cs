using System.Text.Json.Serialization;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Numerics.Optimization;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;

namespace ChemScale.Engine.Scaling.Intervals;

/// <summary>An interval of one parameter of the formula.</summary>
internal sealed record ParameterInterval(string Name, double Value, double? Low, double? High, double Level);

/// <summary>A fit repeated on resampled points (Efron 1979), with percentile intervals.</summary>
/// <param name="Fit">To all points.</param>
/// <param name="Draws">(resamples, parameters), fitted, in the order of the resamples.</param>
internal sealed record Bootstrap([property: JsonIgnore] ScalingFit Fit, [property: JsonIgnore] IReadOnlyList<double[]> Draws)
{
    public required BootstrapKind Kind { get; init; }

    /// <summary>Asked for.</summary>
    public required int Resamples { get; init; }

    /// <summary>Resamples of which no start led to a finite fit; not among <see cref="Draws"/>.</summary>
    public required int Failed { get; init; }

    public required ulong Seed { get; init; }

    public static Bootstrap Run(ScalingFit fit, BootstrapOptions? options = null)
    {
        options ??= new BootstrapOptions();
        if (options.Resamples < 1) throw new InputException("resamples", $"{options.Resamples}", "at least 1");
        var data = ScalingData.Of(fit.Points, fit.Resources);
        double[] residuals = StandardResiduals(fit, data);
        double[][] starts = Starts(fit, options);
        double[]?[] draws = new double[]?[options.Resamples];
        int dimension = fit.Theta.Count;
        var loop = new ParallelOptions { MaxDegreeOfParallelism = ProcessorBudget.Count, CancellationToken = options.Cancellation };
        Parallel.For(0, options.Resamples, loop, () => new Worker(fit, data, dimension), (k, _, worker) =>
        {
            var random = new CounterRandom(options.Seed, (ulong)k);
            if (options.Kind == BootstrapKind.Pairs) worker.DrawPairs(ref random);
            else worker.DrawResiduals(ref random, residuals);
            draws[k] = worker.Minimize(starts);
            return worker;
        }, _ => { });
        double[][] good = [.. draws.OfType<double[]>()];
        return new Bootstrap(fit, good)
        {
            Kind = options.Kind,
            Resamples = options.Resamples,
            Failed = draws.Length - good.Length,
            Seed = options.Seed,
        };
    }

    /// <summary>Percentile interval of each parameter of the formula.</summary>
    public IReadOnlyList<ParameterInterval> Parameters(double level = 0.95)
    {
        return [.. Fit.Family.Parameters.Select((p, i) =>
        {
            ConfidenceInterval interval = Percentiles(Draws.Select(d => d[i]), level);
            return new ParameterInterval(p.Name, Fit.Parameters[i].Value, p.Natural(interval.Low!.Value), p.Natural(interval.High!.Value),
                level);
        })];
    }

    /// <summary>Interval of the fitted curve at some resources.</summary>
    public ConfidenceInterval CurveInterval(double level, params double[] resources) => Percentiles(Predictions(resources), level);

    /// <summary>
    /// Interval that the loss of a further run at some resources falls into: the curve's spread and that of the
    /// residuals.
    /// </summary>
    public ConfidenceInterval PredictionInterval(double level, params double[] resources) => Percentiles(Predictions(resources).Select((loss, k) =>
    {
        var random = new CounterRandom(~Seed, (ulong)k);
        return loss * Math.Exp(Fit.Residuals[random.NextInt(Fit.Residuals.Count)].LogResidual);
    }), level);

    /// <summary>Interval of anything that follows from the fitted parameters; an infinite end is open.</summary>
    public ConfidenceInterval IntervalOf(Func<double[], double> figure, double level = 0.95) => Percentiles(Draws.Select(figure), level);

    private IEnumerable<double> Predictions(double[] resources)
    {
        double[] logs = [.. resources.Select(r => Math.Log(r))];
        return Draws.Select(d => Math.Exp(Fit.Family.LogLoss(d, logs)));
    }

    private static ConfidenceInterval Percentiles(IEnumerable<double> values, double level)
    {
        if (level is not (> 0 and < 1)) throw new InputException("level", $"{level}", "a number in (0, 1)");
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0) return new ConfidenceInterval(null, null, level);
        return new ConfidenceInterval(End((1 - level) / 2), End((1 + level) / 2), level);

        double? End(double p) => Distributions.SampleQuantile(sorted, p) is var end && double.IsFinite(end) ? end : null;
    }

    // Brought to the same variance by their weights, centred, and widened for the parameters that were fitted to them.
    private static double[] StandardResiduals(ScalingFit fit, ScalingData data)
    {
        double[] residuals = [.. fit.Residuals.Select((r, i) => r.LogResidual * Math.Sqrt(data.Weight[i]))];
        double mean = residuals.Average(), widen = Math.Sqrt(residuals.Length / Math.Max(1.0, residuals.Length - fit.Theta.Count));
        return [.. residuals.Select(r => (r - mean) * widen)];
    }

    private static double[][] Starts(ScalingFit fit, BootstrapOptions options)
    {
        double[] best = [.. fit.Theta.Select(t => t <= VanishingTerm.Absent ? Math.Log(0.1 * fit.Points.Min(p => p.Loss)) : t)];
        return [best, .. Enumerable.Range(0, options.ExtraStarts).Select(k => ScalingFitter.Shake(best, options.Seed ^ 0xB007, (ulong)k))];
    }

    private sealed class Worker
    {
        private readonly ScalingData data;
        private readonly double[] fitted;
        private readonly double[] weight;
        private readonly double[] logLoss;
        private readonly FitObjective objective;
        private readonly TrustRegion region;

        public Worker(ScalingFit fit, ScalingData data, int dimension)
        {
            this.data = data;
            fitted = [.. fit.Residuals.Select(r => Math.Log(r.Loss) - r.LogResidual)];
            weight = [.. data.Weight];
            logLoss = [.. data.LogLoss];
            objective = new FitObjective(fit.Family, data.With(logLoss, weight), fit.Loss);
            region = new TrustRegion(dimension) { Tolerance = 1e-7 * Math.Max(fit.Objective, 1e-12), MaximumIterations = 200 };
        }

        public void DrawPairs(ref CounterRandom random)
        {
            Array.Clear(weight);
            for (int i = 0; i < weight.Length; i++)
            {
                int drawn = random.NextInt(weight.Length);
                weight[drawn] += data.Weight[drawn];
            }
        }

        public void DrawResiduals(ref CounterRandom random, double[] residuals)
        {
            for (int i = 0; i < logLoss.Length; i++)
                logLoss[i] = fitted[i] + residuals[random.NextInt(residuals.Length)] / Math.Sqrt(data.Weight[i]);
        }

        public double[]? Minimize(double[][] starts)
        {
            Minimum best = default;
            foreach (double[] start in starts)
            {
                Minimum found = region.Minimize(objective, start);
                if (best.Point is null || found.Value < best.Value) best = found;
            }
            return double.IsFinite(best.Value) ? best.Point : null;
        }
    }
}

/// <summary>What is drawn anew.</summary>
public enum BootstrapKind
{
    /// <summary>Points, with replacement: makes no assumption on the noise.</summary>
    Pairs,

    /// <summary>Residuals of log loss, with replacement, at the same resources: assumes the form and noise of one size.</summary>
    Residuals,
}

public sealed record BootstrapOptions
{
    public BootstrapKind Kind { get; init; } = BootstrapKind.Pairs;

    public int Resamples { get; init; } = 1000;

    /// <summary>Resample k is drawn from stream k of it, whatever thread draws it.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Further starts beside the fit to all points, shaken from it.</summary>
    public int ExtraStarts { get; init; } = 2;

    /// <summary>Heard between resamples.</summary>
    [JsonIgnore]
    public CancellationToken Cancellation { get; init; }
}
