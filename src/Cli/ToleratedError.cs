using System.Text;

namespace ChemScale.Cli;

/// <summary>Standard error that may be full or gone: messages are lost then, the work is not.</summary>
internal sealed class ToleratedError(TextWriter target) : TextWriter
{
    public override Encoding Encoding => target.Encoding;

    public override void Write(char value) => Try(() => target.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => target.Write(buffer, index, count));

    public override void Write(string? value) => Try(() => target.Write(value));

    // In one piece, so that lines of several threads do not mix.
    public override void WriteLine(string? value) => Try(() => target.WriteLine(value));

    public override void Flush() => Try(target.Flush);

    private static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (IOException)
        {
            // Nobody is left to be told.
            return;
        }
    }
}
