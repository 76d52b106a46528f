using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Families;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Verification;

/// <summary>
/// Reads stores, runs, sweeps and studies whole, whatever an earlier look has found, and says what is wrong, file by file. Nothing is
/// written. Files of version 0.3 have fewer checksums: of those, what can be checked is.
/// </summary>
public sealed class Verifier
{
    private readonly CancellationToken stop;
    private readonly List<VerificationProblem> problems = [];
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);
    private int stores;
    private int runs;
    private int checkpoints;
    private int plans;
    private long bytes;

    private Verifier(CancellationToken stop) => this.stop = stop;

    /// <param name="folders">Of stores, runs, sweeps or studies, or of folders that hold such.</param>
    /// <param name="stop">Ends the reading.</param>
    /// <exception cref="InputException">A folder that is none, or has nothing to verify.</exception>
    public static VerificationReport Run(IEnumerable<string> folders, CancellationToken stop = default)
    {
        var verifier = new Verifier(stop);
        foreach (string folder in folders)
        {
            if (!Directory.Exists(folder)) throw new InputException(folder, "no folder", "the folder of a store, run, sweep or study");
            if (!verifier.Visit(Path.GetFullPath(folder)))
                throw new InputException(folder, "nothing to verify", "a store, run, sweep or study, or a folder that holds some");
        }
        return new VerificationReport(
            verifier.stores, verifier.runs, verifier.checkpoints, verifier.plans, verifier.seen.Count, verifier.bytes, verifier.problems);
    }

    /// <summary>False where there is nothing of this program's, here and below.</summary>
    private bool Visit(string folder)
    {
        stop.ThrowIfCancellationRequested();
        bool found = false;
        try
        {
            string[] names = [.. Directory.EnumerateFiles(folder).Select(f => Path.GetFileName(f))];
            string[] below = [.. new DirectoryInfo(folder).EnumerateDirectories().Where(d => d.LinkTarget is null && !d.Name.StartsWith('.'))
                .Select(d => d.Name).Order(StringComparer.Ordinal)];
            if (names.Any(n => n == StoreManifest.FileName || n == StoreLayout.Tokens(StoreLayout.Train))) found |= VisitTokens(folder);
            if (names.Any(n => n == FrameStoreManifest.FileName || n == FrameStoreLayout.Records(FrameStoreLayout.Train))) found |= VisitFrames(folder);
            if (names.Contains(StoreFacts.FileName)) found |= Check(Path.Combine(folder, StoreFacts.FileName), () => StoreFacts.Check(folder));
            if (RunVerification.IsRun(names, below))
            {
                found |= VisitRun(folder);
                // They are written after the files and before the run's experiment.
                if (below.Contains(ModelFiles.FolderName) && Path.Combine(folder, ModelFiles.FolderName, ModelFiles.SumsFile) is var sums && !File.Exists(sums))
                    Wrong(new InputException(sums, "is missing", "checksums of the files of the run's model"));
            }
            if (below.Contains(SweepPlan.FolderName)) found |= VisitPlan(folder);
            if (names.Contains(FileChecksum.ListName)) found |= VisitList(folder);
            string summary = Path.Combine(folder, StudyReport.SummaryName);
            if (names.Contains(StudyReport.SummaryName)) found |= Check(summary, () => SummaryJson.Read(File.ReadAllText(summary), summary));
            if (names.Contains(UsualEstimator.FileName)) found |= Check(Path.Combine(folder, UsualEstimator.FileName), () => _ = UsualEstimator.RecordedIn(folder));
            string study = Path.Combine(folder, StudyFile.FileName);
            if (names.Contains(StudyFile.FileName)) found |= Check(study, () => _ = IsStudy(names, below) ? StudyFile.ReadSealed(study) : StudyFile.Read(study));
            string budgets = Path.Combine(folder, BudgetPage.SummaryName);
            if (names.Contains(BudgetPage.SummaryName)) found |= Check(budgets, () => SummaryJson.ReadSealed<BudgetSummary>(budgets));
            foreach (string name in below.Where(n => n is not (SweepPlan.FolderName or RunVerification.CheckpointsName))) found |= Visit(Path.Combine(folder, name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Wrong(new UnreadableException(folder, "a folder", e));
        }
        return found;
    }

    /// <summary>A study's own folder: what stands beside one that somebody wrote by hand, comments and all, is not a study's work.</summary>
    private static bool IsStudy(string[] names, string[] below) =>
        names.Contains(StudyReport.SummaryName) || names.Contains(BudgetPage.SummaryName) || ModelFamily.All.Any(family => below.Contains(family.Name));

    private bool VisitTokens(string folder)
    {
        stores++;
        Count(folder, [StoreManifest.FileName, .. StoreLayout.Data]);
        TokenStore.Verify(folder, Wrong, stop);
        return true;
    }

    private bool VisitFrames(string folder)
    {
        stores++;
        Count(folder, [FrameStoreManifest.FileName, .. FrameStoreLayout.Data]);
        FrameStore.Verify(folder, Wrong, stop);
        return true;
    }

    private bool VisitRun(string folder)
    {
        runs++;
        var run = new RunVerification(folder, Wrong, file => Count(folder, [file]), stop);
        run.Verify();
        checkpoints += run.Checkpoints;
        return true;
    }

    private bool VisitPlan(string folder)
    {
        string plan = Path.Combine(folder, SweepPlan.FolderName), list = Path.Combine(plan, SweepPlan.PlanName);
        // A folder of that name may be anybody's.
        if (!Directory.EnumerateFiles(plan).Any(f => Path.GetExtension(f) is ".yaml" or ".json")) return false;
        plans++;
        foreach (string file in Directory.EnumerateFiles(plan, "*.yaml").Order(StringComparer.Ordinal)) Check(file, () => Experiment.ReadSealed(file));
        Count(plan, [SweepPlan.PlanName, SweepPlan.SelectionName]);
        if (!File.Exists(list)) Wrong(new InputException(list, "is missing", "the plan of the sweep"));
        else Check(list, () => _ = SweepPlan.Read(folder).Kept);
        return true;
    }

    /// <summary>A list of checksums, as a study's report has one; of any other origin, too.</summary>
    private bool VisitList(string folder)
    {
        string list = Path.Combine(folder, FileChecksum.ListName);
        return Check(list, () =>
        {
            foreach ((string name, string sha256) in FileChecksum.ReadList(list))
            {
                Count(folder, [name]);
                if (FileChecksum.Fault(Path.Combine(folder, name), sha256, $"as {FileChecksum.ListName} says", stop: stop) is { } fault) Wrong(fault);
            }
        });
    }

    private bool Check(string path, Action check)
    {
        Count(Path.GetDirectoryName(path)!, [Path.GetFileName(path)]);
        try
        {
            check();
        }
        catch (InputException e)
        {
            Wrong(e);
        }
        return true;
    }

    private void Count(string folder, IEnumerable<string> names)
    {
        foreach (string path in names.Select(name => Path.Combine(folder, name)))
            if (new FileInfo(path) is { Exists: true } file && seen.Add(path)) bytes += file.Length;
    }

    private void Wrong(InputException e)
    {
        string problem = e.Message.StartsWith(e.Place + ": ", StringComparison.Ordinal) ? e.Message[(e.Place.Length + 2)..] : e.Message;
        // A plan names its experiments' faults again.
        if (problems.All(p => p.Place != e.Place)) problems.Add(new VerificationProblem(e.Place, problem, e is UnreadableException));
    }
}

/// <summary>What <see cref="Verifier"/> found.</summary>
/// <param name="Stores">Of molecules and frames.</param>
/// <param name="Runs">Run directories.</param>
/// <param name="Checkpoints">Of all runs.</param>
/// <param name="Plans">Of sweeps.</param>
/// <param name="Files">Files read.</param>
/// <param name="Bytes">Of these files.</param>
/// <param name="Problems">None where all is sound.</param>
public sealed record VerificationReport(
    int Stores, int Runs, int Checkpoints, int Plans, long Files, long Bytes, IReadOnlyList<VerificationProblem> Problems);

/// <summary>Something that is wrong.</summary>
/// <param name="Place">The file, or the file and the line or key within.</param>
/// <param name="Problem">What was found and what was expected.</param>
/// <param name="Unreadable">True where the file could not be read, which says nothing of what it holds.</param>
public sealed record VerificationProblem(string Place, string Problem, bool Unreadable);
