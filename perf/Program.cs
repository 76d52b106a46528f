using ChemScale.Cli;
using ChemScale.Engine;
using ChemScale.Perf.Commands;
using ChemScale.Perf.Measuring;
using CommandLine;
using CommandLine.Text;
using Verb = ChemScale.Perf.Commands.Verb;

namespace ChemScale.Perf;

/// <summary>
/// perf list | run | merge | table. Exit codes: 0 done; 1 a benchmark failed, the others' results are there; 2 a mistake in what was given,
/// one line on standard error.
/// </summary>
internal static class Program
{
    private static readonly Type[] Verbs = [typeof(ListVerb), typeof(RunVerb), typeof(MergeVerb), typeof(TableVerb), typeof(CurvesVerb), typeof(EstimatorsVerb), typeof(SpinVerb)];

    public static int Main(string[] args)
    {
        using var parser = new Parser(settings => settings.HelpWriter = null);
        if (args is ["help", var about]) args = [about, "--help"];
        if (ArgumentCheck.Mistake(args, Verbs) is { } mistake) return Refuse(mistake);
        ParserResult<object> result = parser.ParseArguments(args, Verbs);
        if (result is NotParsed<object> wrong) return Explain(wrong);
        try
        {
            return ((Verb)result.Value).Run(args);
        }
        catch (InputException e)
        {
            return Refuse(e.Message);
        }
        // The engine refuses to start.
        catch (TypeInitializationException e) when (e.GetBaseException() is InputException refusal)
        {
            return Refuse(refusal.Message);
        }
#pragma warning disable CA1031 // The last line of defence: a failed run exits 1 with its reason.
        catch (Exception e)
        {
            Console.Error.WriteLine($"perf: {e.Message.ReplaceLineEndings(" ")}");
            if (Environment.GetEnvironmentVariable("CHEMSCALE_TRACE") is { Length: > 0 }) Console.Error.WriteLine(e);
            return 1;
        }
#pragma warning restore CA1031
    }

    private static int Refuse(string mistake)
    {
        Console.Error.WriteLine("perf: " + mistake);
        return 2;
    }

    private static int Explain(NotParsed<object> result)
    {
        if (result.Errors.IsHelp() || result.Errors.IsVersion())
        {
            Console.WriteLine(result.Errors.IsVersion() ? HelpText.AutoBuild(result).Heading.ToString() : HelpText.AutoBuild(result, h =>
            {
                h.AdditionalNewLineAfterOption = false;
                h.AddDashesToOption = true;
                h.MaximumDisplayWidth = 120;
                h.Copyright = "";
                return HelpText.DefaultParsingErrorsHandler(result, h);
            }, e => e, verbsIndex: true));
            return 0;
        }
        Error error = result.Errors.First();
        return Refuse(error switch
        {
            UnknownOptionError e => $"unknown option '{e.Token}'. HINT: --help lists the options of a verb",
            BadVerbSelectedError e => $"unknown verb '{e.Token}'; expected list, run, merge or table",
            NoVerbSelectedError => "no verb given; expected list, run, merge or table. HINT: perf --help",
            MissingRequiredOptionError => "nothing to work on. HINT: --help says what the verb takes",
            MissingValueOptionError e => $"option '{e.NameInfo.NameText}' has no value",
            BadFormatConversionError e => $"option '{e.NameInfo.NameText}' has a value of the wrong kind. HINT: --help says what it takes",
            RepeatedOptionError e => $"option '{e.NameInfo.NameText}' is given twice",
            NamedError e => $"option '{e.NameInfo.NameText}': {e.Tag}",
            TokenError e => $"'{e.Token}': {e.Tag}",
            _ => error.Tag.ToString(),
        });
    }
}
