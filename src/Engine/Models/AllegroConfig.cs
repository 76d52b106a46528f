using System.Globalization;
using ChemScale.Engine.Models.ForceFields;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>Shape of an <see cref="Allegro"/>.</summary>
internal sealed record AllegroConfig : ForceFieldConfig
{
    /// <summary>The elements the model knows, symbols separated by commas. Their order is that of the rows of the first matrix.</summary>
    public string Elements { get; init; } = "H, C, N, O";

    /// <summary>L: highest order of spherical harmonics and of features, 0 to 3.</summary>
    public int LMax { get; init; } = 2;

    /// <summary>Tensor products; an atom's energy sees products of one more neighbour than there are layers.</summary>
    public int Layers { get; init; } = 2;

    /// <summary>U: channels of each representation of an edge, and of an environment.</summary>
    public int Features { get; init; } = 32;

    /// <summary>K Bessel functions.</summary>
    public int RadialFunctions { get; init; } = 8;

    /// <summary>p of the polynomial cutoff.</summary>
    public int CutoffPower { get; init; } = 6;

    /// <summary>Hidden widths, then D, of the perceptron from elements and distance to latent features, separated by commas.</summary>
    public string TwoBodyWidths { get; init; } = "64, 128";

    /// <summary>Hidden widths, then D, of the perceptron of each later layer and of the last one.</summary>
    public string LatentWidths { get; init; } = "128";

    /// <summary>Hidden widths of the linear map from latent features to an edge's energy; may be none.</summary>
    public string EnergyWidths { get; init; } = "32";

    /// <summary>Neighbours of an atom on average: sums over neighbours are divided by its root.</summary>
    public double AverageNeighbors { get; init; } = 12;

    public override long Parameters => NonEmbeddingParameters + 2L * ElementList().Length * TwoBodyWidthList()[0];

    /// <summary>N of the scaling laws: all but the rows of the first matrix that belong to elements, of receivers and of senders.</summary>
    public override long NonEmbeddingParameters
    {
        get
        {
            int[] twoBody = TwoBodyWidthList(), latent = LatentWidthList();
            AllegroPaths[] paths = AllegroPaths.Plan(LMax, Layers);
            long weights = (Layers + 1L) * latent[^1] * Features * (LMax + 1);
            return RadialFunctions + AllegroMlp.Count([RadialFunctions, .. twoBody]) + weights
                + paths.Sum(p => AllegroMlp.Count(AllegroLatent.Widths(latent, Features, p.Scalars)))
                + paths[..^1].Sum(p => AllegroLinear.Count(p, Features)) + AllegroMlp.Count([latent[^1], .. EnergyWidthList(), 1]);
        }
    }

    /// <inheritdoc/>
    public override FlopCount Flops
    {
        get
        {
            int[] twoBody = TwoBodyWidthList(), latent = LatentWidthList();
            double u = Features, d = latent[^1], harmonics = (LMax + 1) * (LMax + 1);
            double perPair = AllegroMlp.Count([RadialFunctions, .. twoBody]) + (Layers + 1) * d * u * (LMax + 1) + harmonics * u + d;
            AllegroPaths[] paths = AllegroPaths.Plan(LMax, Layers);
            for (int t = 0; t < Layers; t++)
            {
                // The environment's sum, the product of tensors, the perceptron; all but the last layer mix paths and channels of each component.
                perPair += harmonics * u + 2 * paths[t].TermCount * u + AllegroMlp.Count(AllegroLatent.Widths(latent, Features, paths[t].Scalars));
                if (t < Layers - 1) perPair += paths[t].Components * u * u;
            }
            return 2 * new FlopCount(0, perPair);
        }
    }

    public override string Title => nameof(Allegro);

    /// <summary>The width is that of the latent features; a quarter of it are the channels.</summary>
    public override ForceFieldConfig Shaped(int depth, int width) => this with
    {
        Layers = depth,
        Features = Math.Max(1, width / 4),
        TwoBodyWidths = $"{width}, {width}",
        LatentWidths = $"{width}",
        EnergyWidths = $"{Math.Max(1, width / 4)}",
    };

    /// <inheritdoc/>
    public override ForceFieldConfig Fitted(IEnumerable<int> elements, double? neighbors) => this with
    {
        Elements = string.Join(", ", elements.Select(Atoms.Elements.Symbol)),
        AverageNeighbors = neighbors > 0 ? neighbors.Value : AverageNeighbors,
    };

    public override ForceField Create(long seed = 0, ScalarType dtype = ScalarType.Float32, Device? device = null) =>
        new Allegro(this, seed, dtype, device);

    /// <inheritdoc/>
    public override void RequireElements(IEnumerable<int> atomicNumbers, string place)
    {
        int[] known = ElementList();
        foreach (int z in atomicNumbers)
        {
            if (known.Contains(z)) continue;
            string found = z is > 0 and <= Atoms.Elements.Heaviest ? $"element {Named(z)}" : $"atomic number {z}";
            throw new InputException(place, found, $"one of {Elements}", "add it to model.elements");
        }
    }

    public override void Validate(string place = "model")
    {
        base.Validate(place);
        int heaviest = ElementList(place).Max();
        if (heaviest > MaxAtomicNumber)
            throw new InputException($"{place}.elements", Named(heaviest), $"at most {MaxAtomicNumber}", "raise model.maxAtomicNumber");
        if (LMax is < 0 or > 3) throw new InputException($"{place}.lMax", $"{LMax}", "0 to 3");
        AtLeast(1, Layers, "layers", place);
        AtLeast(1, Features, "features", place);
        AtLeast(1, RadialFunctions, "radialFunctions", place);
        AtLeast(2, CutoffPower, "cutoffPower", place);
        EnergyWidthList(place);
        int[] twoBody = TwoBodyWidthList(place), latent = LatentWidthList(place);
        if (twoBody[^1] != latent[^1])
        {
            throw new InputException($"{place}.latentWidths", $"'{LatentWidths}'",
                $"{twoBody[^1]} at the end, as in twoBodyWidths: they are added");
        }
        if (!(AverageNeighbors > 0) || !double.IsFinite(AverageNeighbors))
            throw new InputException($"{place}.averageNeighbors", $"{AverageNeighbors}", "a positive number");
    }

    internal int[] ElementList(string place = "model") => CommaSeparated.Elements(Elements, $"{place}.elements");

    internal int[] TwoBodyWidthList(string place = "model") => CommaSeparated.Widths(TwoBodyWidths, $"{place}.twoBodyWidths");

    internal int[] LatentWidthList(string place = "model") => CommaSeparated.Widths(LatentWidths, $"{place}.latentWidths");

    internal int[] EnergyWidthList(string place = "model") => CommaSeparated.Widths(EnergyWidths, $"{place}.energyWidths", 0);

    private static string Named(int z) => $"{Atoms.Elements.Symbol(z)} (atomic number {z})";
}

/// <summary>Lists in experiment files, which hold single values.</summary>
internal static class CommaSeparated
{
    /// <summary><c>H, C, N, O</c> as atomic numbers, in this order.</summary>
    /// <exception cref="InputException">No element, an unknown one, or one twice.</exception>
    public static int[] Elements(string text, string place)
    {
        int[] numbers = [.. Parts(text).Select(symbol => Atoms.Elements.Number(symbol, place))];
        if (numbers.Length == 0) throw new InputException(place, "no element", "symbols separated by commas, such as H, C, N, O");
        if (numbers.Distinct().Count() < numbers.Length) throw new InputException(place, $"'{text}'", "each element once");
        return numbers;
    }

    /// <summary><c>64, 128</c> as numbers.</summary>
    /// <exception cref="InputException">Something that is not a positive whole number, or fewer than <paramref name="least"/>.</exception>
    public static int[] Widths(string text, string place, int least = 1)
    {
        CultureInfo invariant = CultureInfo.InvariantCulture;
        int[] widths = [.. Parts(text).Select(part => int.TryParse(part, NumberStyles.None, invariant, out int n) ? n : 0)];
        if (widths.Length < least || widths.Any(n => n < 1))
            throw new InputException(place, $"'{text}'", "positive whole numbers separated by commas, such as 64, 128");
        return widths;
    }

    private static string[] Parts(string text) => text.Trim().Length == 0 ? [] : text.Split(',', StringSplitOptions.TrimEntries);
}
