using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using ChemScale.Engine;
using ChemScale.Engine.Native;
using CommandLine;
using CommandLine.Text;

namespace ChemScale.Cli;

/// <summary>
/// chemscale VERB [options]. Exit codes: 0 done; 1 failed; 2 a mistake in what was given, one line on standard error;
/// 130 after SIGINT, 143 after SIGTERM and SIGHUP (a terminal that is closed), 75 after SIGUSR1 (a scheduler's warning; "try again"), with a durable checkpoint.
/// </summary>
internal static class Program
{
    private static readonly Type[] Verbs = [.. typeof(Verb).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Verb)) && !t.IsAbstract)
        .OrderBy(t => t.Name, StringComparer.Ordinal)];

    public static int Main(string[] args) => Descriptors.Suffice() ? Start(args) : 2;

    // Of its own: what it names is loaded when it is compiled.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Start(string[] args)
    {
        Console.SetError(new ToleratedError(Console.Error));
        return Run(args);
    }

    /// <summary>The command in a process that is not its own: what belongs to the whole process stays as it is.</summary>
    internal static int Run(string[] args)
    {
        using var parser = new Parser(settings =>
        {
            settings.HelpWriter = null;
            settings.CaseInsensitiveEnumValues = true;
        });
        if (args is ["help", var about]) args = [about, "--help"];
        if (args is ["-h" or "--help" or "help" or "-?"])
        {
            Console.Write(Help.Overview(Verbs, Help.Width));
            return 0;
        }
        Type? asked = args.Length > 0 ? Verbs.FirstOrDefault(v => Help.NameOf(v) == args[0]) : null;
        if (asked is not null && args.Skip(1).TakeWhile(a => a != "--").Any(a => a is "--help" or "-h"))
        {
            Console.Write(Help.Of(asked, Help.Width));
            return 0;
        }
        string[] arguments = [.. args.SelectMany(ShortenOneLetterOption)];
        if (ArgumentCheck.Mistake(arguments, Verbs) is { } mistake)
        {
            Console.Error.WriteLine("chemscale: " + OneLine.Of(mistake));
            return 2;
        }
        ParserResult<object> result = parser.ParseArguments(arguments, Verbs);
        return Guarded(stop => result is NotParsed<object> mistakes ? Explain(mistakes) : Run((Verb)result.Value, stop), result.Value as Verb);
    }

    // Cli.csproj leaves the loading of native libraries to this place: parsing, help and some verbs do without, and doctor looks before it loads.
    private static int Run(Verb verb, CancellationToken stop)
    {
        if (verb.NeedsTensors) NativeLibraries.Require();
        return verb.Run(stop);
    }

    /// <summary>--n is what the field writes; the parser only knows -n.</summary>
    private static IEnumerable<string> ShortenOneLetterOption(string argument)
    {
        bool single = argument.Length >= 3 && argument.StartsWith("--", StringComparison.Ordinal) && char.IsAsciiLetter(argument[2])
            && (argument.Length == 3 || argument[3] == '=');
        if (!single) return [argument];
        return argument.Length == 3 ? [argument[1..]] : [argument[1..3], argument[4..]];
    }

    private static int Guarded(Func<CancellationToken, int> work, Verb? verb)
    {
        using var stop = new CancellationTokenSource();
        int signalCode = 0;
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, c => OnSignal(c, 130));
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, c => OnSignal(c, 143));
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, c => OnSignal(c, 143));
        // Linux's number; the enumeration has no name for it.
        using PosixSignalRegistration? warning = OperatingSystem.IsLinux() ? PosixSignalRegistration.Create((PosixSignal)10, c => OnSignal(c, 75)) : null;
        try
        {
            int code = work(stop.Token);
            return signalCode != 0 ? signalCode : code;
        }
        catch (InputException e)
        {
            Console.Error.WriteLine("chemscale: " + OptionKeys.Translated(e, verb?.GetType()).Message);
            return 2;
        }
        catch (OperationCanceledException) when (signalCode != 0)
        {
            return signalCode;
        }
        catch (Exception e) when (IsRefusal(e))
        {
            Console.Error.WriteLine("chemscale: " + OneLine.Of(e.Message));
            return 2;
        }
#pragma warning disable CA1031 // The last line of defence: a failed run exits 1 with its reason.
        catch (Exception e)
        {
            Console.Error.WriteLine($"chemscale: {OneLine.Of(e.Message)}{Hint(e)}");
            if (Environment.GetEnvironmentVariable("CHEMSCALE_TRACE") is { Length: > 0 }) Console.Error.WriteLine(e);
            return 1;
        }
#pragma warning restore CA1031

        void OnSignal(PosixSignalContext context, int code)
        {
            // A second Ctrl-C means it: let the default end the process. Schedulers send their signals more than once, and end with SIGKILL.
            if ((signalCode != 0 && code == 130) || verb?.HearsSignals == false) return;
            context.Cancel = true;
            if (signalCode != 0) return;
            signalCode = code;
            stop.Cancel();
        }
    }

    // A path that the system refuses to whoever did not expect it to; a missing library is no path of the user's.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsRefusal(Exception e) => FileErrors.IsRefusal(e) && (e as FileNotFoundException)?.FileName?.Contains(", Version=", StringComparison.Ordinal) != true;

    // Of its own, not part of its caller: the engine's libraries are loaded by the verb that runs, not before.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string Hint(Exception e) => FileErrors.IsOutOfDescriptors(e) ? ". HINT: ulimit -n 1024" : "";

    private static int Explain(NotParsed<object> result)
    {
        if (result.Errors.IsVersion())
        {
            Console.WriteLine(HelpText.AutoBuild(result).Heading.ToString());
            return 0;
        }
        Error error = result.Errors.First();
        string verbs = string.Join(", ", Verbs.Select(v => ((VerbAttribute)v.GetCustomAttributes(typeof(VerbAttribute), false)[0]).Name));
        Console.Error.WriteLine("chemscale: " + OneLine.Of(error switch
        {
            UnknownOptionError e => $"unknown option '{e.Token}'. HINT: {Help.OptionHint(e.Token, result.TypeInfo.Current)}",
            BadVerbSelectedError e => $"unknown verb '{e.Token}'; expected one of {verbs}. HINT: {Help.VerbHint(e.Token, Verbs)}",
            NoVerbSelectedError => $"no verb given; expected one of {verbs}. HINT: chemscale --help",
            MissingRequiredOptionError { NameInfo.NameText: "" } => "nothing to work on. HINT: --help says what the verb takes",
            MissingRequiredOptionError e => $"missing option '{e.NameInfo.NameText}'. HINT: --help lists the options of a verb",
            MissingValueOptionError e => $"option '{e.NameInfo.NameText}' has no value",
            BadFormatConversionError e => $"option '{e.NameInfo.NameText}' has a value of the wrong kind. HINT: --help says what it takes",
            RepeatedOptionError e => $"option '{e.NameInfo.NameText}' is given twice",
            NamedError e => $"option '{e.NameInfo.NameText}': {e.Tag}",
            TokenError e => $"'{e.Token}': {e.Tag}",
            _ => error.Tag.ToString(),
        }));
        return 2;
    }
}

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

/// <summary>
/// Whether this process may open as many files as the runtime, libtorch and a run need. Asked before anything else is loaded: with too few
/// the runtime cannot even load what would say so. It needs about 35 to come this far; with less it dies by itself, with a message of its own.
/// </summary>
internal static unsafe partial class Descriptors
{
    private const int Needed = 160;

    /// <summary>False, and one line on standard error, where they are too few. The runtime has raised the soft limit to the hard one by now.</summary>
    public static bool Suffice()
    {
        if (!OperatingSystem.IsLinux()) return true;
        // Current and highest limit.
        ulong* limit = stackalloc ulong[2];
        const int OpenFiles = 7;
        if (GetLimit(OpenFiles, limit) != 0 || limit[0] >= Needed) return true;
        // Character by character: whatever formats numbers or encodes text may be what cannot be loaded.
        Say("chemscale: file descriptors: at most "u8);
        Say(limit[0]);
        Say("; expected at least "u8);
        Say(Needed);
        Say(". HINT: ulimit -n 1024, or ask who sets the limit\n"u8);
        return false;
    }

    private static void Say(ulong number)
    {
        Span<byte> digits = stackalloc byte[20];
        int at = digits.Length;
        do
        {
            digits[--at] = (byte)('0' + number % 10);
            number /= 10;
        }
        while (number > 0);
        Say(digits[at..]);
    }

    private static void Say(ReadOnlySpan<byte> text)
    {
        const int StandardError = 2;
        fixed (byte* start = text) _ = Write(StandardError, start, text.Length);
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, ulong* limit);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int file, byte* bytes, nint count);
}
