using System.Text;

namespace ChemScale.Tests;

/// <summary>
/// Standard output and error of whoever asked for them, and of what it calls, on whichever thread: commands of this process that run side by side
/// do not read each other's lines. Everybody else writes where one wrote before.
/// </summary>
internal sealed class CallConsole(AsyncLocal<TextWriter?> own, TextWriter others) : TextWriter
{
    private static readonly AsyncLocal<TextWriter?> Output = new(), Error = new();

    public override Encoding Encoding => Target.Encoding;

    private TextWriter Target => own.Value ?? others;

    /// <summary>Once, for the process.</summary>
    public static void Install()
    {
        Console.SetOut(new CallConsole(Output, Console.Out));
        Console.SetError(new CallConsole(Error, Console.Error));
    }

    public static Redirection Redirect(TextWriter output, TextWriter error)
    {
        var before = new Redirection(Output.Value, Error.Value);
        // What a run starts may write on several threads.
        (Output.Value, Error.Value) = (Synchronized(output), Synchronized(error));
        return before;
    }

    public override void Write(char value) => Target.Write(value);

    public override void Write(char[] buffer, int index, int count) => Target.Write(buffer, index, count);

    public override void Write(ReadOnlySpan<char> buffer) => Target.Write(buffer);

    public override void Write(string? value) => Target.Write(value);

    public override void WriteLine(string? value) => Target.WriteLine(value);

    public override void Flush() => Target.Flush();

    /// <summary>The time that it lasts.</summary>
    public readonly struct Redirection(TextWriter? output, TextWriter? error) : IDisposable
    {
        public void Dispose() => (Output.Value, Error.Value) = (output, error);
    }
}
