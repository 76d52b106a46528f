using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using ChemScale.Engine.Atoms.Statistics;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Store;

/// <summary>frames.json: what a frame store holds and where it came from.</summary>
public sealed record FrameStoreManifest : Manifest
{
    public const string FileName = "frames.json";

    private const string Units = "eV, Angstrom";

    private static readonly string[] Keys =
    [
        "rule", "seed", "split", "units", "train", "validation", "duplicates", "statistics", "configTypes", "sources",
    ];

    public required FrameCounts Train { get; init; }

    public required FrameCounts Validation { get; init; }

    /// <summary>Of the training frames.</summary>
    public required FrameStatistics Statistics { get; init; }

    /// <summary>Kinds of configurations; frames hold indices into this.</summary>
    public required IReadOnlyList<string> ConfigTypes { get; init; }

    public required IReadOnlyList<FrameSource> Sources { get; init; }

    /// <summary>Decides the order, and the sides where nothing else does.</summary>
    public required long Seed { get; init; }

    /// <summary>How the sides were told apart, in words.</summary>
    public required string Split { get; init; }

    /// <summary>Copies of frames that were left out.</summary>
    public required long Duplicates { get; init; }

    /// <exception cref="InputException">No manifest, or not one, by key.</exception>
    internal static FrameStoreManifest Read(string folder, out string sha256) => Read(folder, FrameStoreLayout.Names, Keys, Parse, out sha256);

    private protected override JsonObject Content() => new()
    {
        ["rule"] = FrameSplitRule.Name,
        ["seed"] = Seed,
        ["split"] = Split,
        ["units"] = Units,
        ["train"] = Counts(Train),
        ["validation"] = Counts(Validation),
        ["duplicates"] = Duplicates,
        ["statistics"] = StatisticsJson.Write(Statistics),
        ["configTypes"] = new JsonArray([.. ConfigTypes.Select(type => (JsonNode)type)]),
        ["sources"] = new JsonArray([.. Sources.Select(source => new JsonObject
        {
            ["file"] = source.File,
            ["frames"] = source.Frames,
            ["keys"] = new JsonArray([.. source.Keys.Select(key => (JsonNode)key)]),
            ["validation"] = source.Validation,
        })]),
    };

    private static FrameStoreManifest Parse(JsonPlace root, IReadOnlyDictionary<string, string> options, IReadOnlyList<StoredFile> files)
    {
        root.Required("rule", $"'{FrameSplitRule.Name}'").OneOf(FrameSplitRule.Name);
        root.Required("units", $"'{Units}'").OneOf(Units);
        return new FrameStoreManifest
        {
            Train = Counts(root.Required("train", "counts")),
            Validation = Counts(root.Required("validation", "counts")),
            Statistics = StatisticsJson.Read(root.Required("statistics", "statistics")),
            ConfigTypes = [.. root.Required("configTypes", "a list of names").Items().Select(item => item.Text())],
            Sources = [.. root.Required("sources", "a list of files").Items().Select(item => new FrameSource(
                item.Required("file", "a file name").Text(),
                item.Required("frames", "a count").Integer(),
                [.. item.Required("keys", "a list of names").Items().Select(key => key.Text())],
                item.Required("validation", "true or false").Boolean()))],
            Seed = root.Required("seed", "a seed").Integer(long.MinValue),
            Split = root.Required("split", "how the sides were told apart").Text(),
            Duplicates = root.Required("duplicates", "a count").Integer(),
            Options = options,
            Files = files,
        };
    }

    private static JsonObject Counts(FrameCounts counts) =>
        new() { ["frames"] = counts.Frames, ["atoms"] = counts.Atoms, ["largest"] = counts.Largest };

    private static FrameCounts Counts(JsonPlace counts) => new(
        // Their numbers of bytes must be numbers, too.
        counts.Required("frames", "a count").Integer(0, long.MaxValue / 1024),
        counts.Required("atoms", "a count").Integer(0, long.MaxValue / 1024),
        (int)counts.Required("largest", "a count").Integer(0, int.MaxValue));
}

/// <summary>Names in a frame store's folder; all numbers little endian.</summary>
internal static class FrameStoreLayout
{
    public const string Train = "train";

    public const string Validation = "validation";

    /// <summary>A <see cref="FrameRecord"/> for each frame.</summary>
    public static string Records(string split) => $"{split}.records";

    /// <summary>Where each frame's atoms start, and behind them the number of atoms: frames + 1 values of 64 bits.</summary>
    public static string Offsets(string split) => $"{split}.offsets";

    /// <summary>Atomic numbers, a byte each.</summary>
    public static string Elements(string split) => $"{split}.elements";

    /// <summary>(atoms, 3) Angstrom, f64.</summary>
    public static string Positions(string split) => $"{split}.positions";

    /// <summary>(atoms, 3) eV/Angstrom, f64; NaN where they are not known.</summary>
    public static string Forces(string split) => $"{split}.forces";

    public static IReadOnlyList<string> Data { get; } = [.. Of(Train), .. Of(Validation)];

    public static StoreNames Names { get; } = new("frame store", FrameStoreManifest.FileName, Data, Remedy.PrepareFrames);

    private static string[] Of(string split) => [Records(split), Offsets(split), Elements(split), Positions(split), Forces(split)];
}

/// <summary>What one side of a frame store holds.</summary>
/// <param name="Frames">Frames.</param>
/// <param name="Atoms">Atoms of all of them.</param>
/// <param name="Largest">Atoms of the largest frame; 0 where there is none.</param>
public sealed record FrameCounts(long Frames, long Atoms, int Largest);

/// <summary>A file that went into a frame store.</summary>
/// <param name="File">Its name, without the folder.</param>
/// <param name="Frames">Frames read from it.</param>
/// <param name="Keys">Under which names its labels stood, one entry for each combination.</param>
/// <param name="Validation">True where its frames were held out by request.</param>
public sealed record FrameSource(string File, long Frames, IReadOnlyList<string> Keys, bool Validation);

/// <summary>Statistics in a manifest; what is not known is null there and NaN here.</summary>
internal static class StatisticsJson
{
    public static JsonObject Write(FrameStatistics statistics) => new()
    {
        ["elements"] = new JsonArray([.. statistics.Elements.Select(number => (JsonNode)Elements.Symbol(number))]),
        ["referenceEnergies"] = new JsonObject(statistics.ReferenceEnergies.OrderBy(pair => pair.Key)
            .Select(pair => KeyValuePair.Create(Elements.Symbol(pair.Key), (JsonNode?)pair.Value))),
        ["meanEnergyPerAtom"] = Known(statistics.MeanEnergyPerAtom),
        ["energyResidual"] = Known(statistics.EnergyResidual),
        ["forceRms"] = Known(statistics.ForceRms),
        ["neighborCutoff"] = statistics.NeighborCutoff,
        ["neighborsPerAtom"] = Known(statistics.NeighborsPerAtom),
        ["neighborFrames"] = statistics.NeighborFrames,
    };

    public static FrameStatistics Read(JsonPlace place)
    {
        SortedDictionary<int, double> references = [];
        foreach ((string symbol, JsonPlace value) in place.Required("referenceEnergies", "numbers by element").Members())
        {
            references[Element(symbol, value)] = value.Number();
        }
        return new FrameStatistics
        {
            Elements = [.. place.Required("elements", "symbols").Items().Select(item => Element(item.Text(), item))],
            ReferenceEnergies = references,
            MeanEnergyPerAtom = Number("meanEnergyPerAtom"),
            EnergyResidual = Number("energyResidual"),
            ForceRms = Number("forceRms"),
            NeighborCutoff = Number("neighborCutoff"),
            NeighborsPerAtom = Number("neighborsPerAtom"),
            NeighborFrames = place.Required("neighborFrames", "a count").Integer(),
        };

        double Number(string key) => place.Required(key, "a number or null") is { IsNull: false } value ? value.Number() : double.NaN;
    }

    private static int Element(string symbol, JsonPlace place)
    {
        try
        {
            return Elements.Number(symbol, "");
        }
        catch (InputException e)
        {
            throw place.Wrong($"an element, not {e.Found}");
        }
    }

    private static JsonNode? Known(double value) => double.IsNaN(value) ? null : JsonValue.Create(value);
}

/// <summary>
/// A frame's place in the order of its side, and which side it falls on where nothing says so: both from a hash of its atoms and a seed
/// alone, not of its labels. So the first n frames are a random sample for every n, and a smaller sample is inside a larger one.
/// </summary>
internal static class FrameSplitRule
{
    /// <summary>Named in the store, so that a later rule cannot be taken for this one.</summary>
    public const string Name = "xxh64-frame-v1";

    private const ulong SideSalt = 0xD6E8FEB86659FD93;
    private const double TwoToMinus64 = 1.0 / 18446744073709551616.0;

    /// <summary>What makes two frames the same one: atoms, positions, cell, periodicity, charge and spin, to the bit.</summary>
    public static byte[] Identity(Frame frame)
    {
        double[] header =
        [
            frame.Atoms, frame.Charge, frame.Spin,
            frame.Periodic[0] ? 1 : 0, frame.Periodic[1] ? 1 : 0, frame.Periodic[2] ? 1 : 0,
            .. frame.Cell ?? [],
        ];
        return
        [
            .. MemoryMarshal.AsBytes<double>(header),
            .. frame.AtomicNumbers.Select(number => (byte)number),
            .. MemoryMarshal.AsBytes<double>(frame.Positions),
        ];
    }

    /// <summary>The frame's place in the order.</summary>
    public static ulong Key(byte[] identity, long seed) => StableHash.Of(identity, (ulong)seed);

    /// <summary>A second order, independent of the first: frames with the least of these are held out.</summary>
    public static ulong SideKey(ulong key) => StableHash.Avalanche(key ^ SideSalt);

    public static bool IsValidation(ulong key, double fraction) => SideKey(key) * TwoToMinus64 < fraction;
}
