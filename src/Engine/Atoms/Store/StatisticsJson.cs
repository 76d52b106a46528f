using System.Text.Json.Nodes;
using ChemScale.Engine.Atoms.Statistics;
using ChemScale.Engine.Stores;

namespace ChemScale.Engine.Atoms.Store;

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
