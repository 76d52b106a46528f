using System.Xml;

namespace ChemScale.Engine.Studies.Report;

internal static class Xml
{
    /// <summary>The text without characters that no XML can hold, which a file name or a message may bring along.</summary>
    public static string Clean(string text)
    {
        if (text.All(XmlConvert.IsXmlChar)) return text;
        char[] clean = text.ToCharArray();
        for (int i = 0; i < clean.Length; i++)
        {
            if (i + 1 < clean.Length && XmlConvert.IsXmlSurrogatePair(clean[i + 1], clean[i])) i++;
            else if (!XmlConvert.IsXmlChar(clean[i])) clean[i] = '\uFFFD';
        }
        return new string(clean);
    }
}
