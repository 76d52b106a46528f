using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace ChemScale.Engine.Files;

/// <summary>YAML of users: looked over as a stream of events first, since the tree of it is built by recursion.</summary>
internal static class YamlText
{
    private const int MostEvents = 200_000;

    /// <param name="text">The whole file.</param>
    /// <param name="place">Its name.</param>
    /// <exception cref="InputException">No YAML, or more of it than a file of settings holds: file and line.</exception>
    public static IList<YamlDocument> Documents(string text, string place) => Reading.Guard(place, "YAML", () =>
    {
        try
        {
            Measure(text, place);
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            return stream.Documents;
        }
        catch (YamlException e)
        {
            throw new InputException($"{place}:{e.Start.Line}", e.InnerException?.Message ?? e.Message, "YAML");
        }
    });

    private static void Measure(string text, string place)
    {
        var parser = new Parser(new StringReader(text));
        var open = new Stack<AnchorName>();
        for (int events = 0; parser.MoveNext(); events++)
        {
            ParsingEvent found = parser.Current!;
            string at = $"{place}:{found.Start.Line}";
            if (events == MostEvents) throw new InputException(at, $"more than {MostEvents} values", "a file of settings");
            switch (found)
            {
                case MappingStart or SequenceStart:
                    open.Push(((NodeEvent)found).Anchor);
                    Nesting.Check(open.Count, at);
                    break;
                case MappingEnd or SequenceEnd:
                    open.Pop();
                    break;
                case AnchorAlias alias when open.Contains(alias.Value):
                    throw new InputException(at, $"'*{alias.Value.Value}' within what it stands for", "an anchor that is complete");
            }
        }
    }
}
