using System.Globalization;
using ChemScale.Engine.Studies.Sweeps;
using CommandLine;

namespace ChemScale.Cli;

[Verb("worker", HelpText = "Work on a planned sweep: claim runs that nobody works on, one after the other, until nothing is left. Any number of workers may share a folder.")]
internal sealed class WorkerVerb : Verb
{
    private const int PutAside = 75;

    [Value(0, MetaName = "DIR", Required = true, HelpText = "Folder of the sweep.")]
    public string Directory { get; set; } = "";

    [Option("stage", Default = SweepStage.All, HelpText = "all, probe, select or finish.")]
    public SweepStage Stage { get; set; }

    [Option("index", HelpText = "Only this run of the plan.")]
    public int? Index { get; set; }

    [Option("threads", HelpText = "CPU threads (default: all cores).")]
    public int Threads { get; set; }

    [Option("stop-on-closed-input", HelpText = "Put the run aside and end when standard input closes.")]
    public bool StopOnClosedInput { get; set; }

    /// <summary>The command that answers a call.</summary>
    public static IReadOnlyList<string> Words(WorkerCall call) =>
    [
        .. OwnCommand.Words, "worker", call.Directory,
        .. call.Stage == SweepStage.All ? (string[])[] : ["--stage", call.Stage.ToString().ToLowerInvariant()],
        .. call.Index is { } index ? (string[])["--index", index] : [],
        "--threads", call.Threads.ToString(CultureInfo.InvariantCulture),
        .. call.StopOnClosedInput ? (string[])["--stop-on-closed-input"] : [],
    ];

    public override int Run(CancellationToken stop)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop);
        if (StopOnClosedInput) WatchInput(both);
        var worker = new SweepWorker
        {
            Plan = SweepPlan.Read(Directory),
            Index = Index,
            Threads = Threads,
            Say = line => Console.Error.WriteLine(line),
        };
        IReadOnlyList<RunState> failed;
        try
        {
            failed = worker.Run(Stage, both.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Whoever started it is gone, or wants it to stop: put aside, to be gone on with.
            return PutAside;
        }
        if (Json) Output.Json(failed.Select(f => new { f.Run.Name, f.Failure!.Reason, f.Failure.Diverged }));
        else foreach (RunState state in failed) Console.WriteLine($"{state.Run.Name}: {state.Failure!.Reason}");
        // A diverged run is a result; one that could not run is not.
        return failed.Any(f => !f.Failure!.Diverged) ? 1 : 0;
    }

    private static void WatchInput(CancellationTokenSource stop)
    {
        var watch = new Thread(() =>
        {
            while (Console.In.ReadLine() is not null) continue;
            try
            {
                stop.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The work is already done.
                return;
            }
        })
        { IsBackground = true };
        watch.Start();
    }
}
