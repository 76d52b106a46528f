using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Training.Runs;

/// <summary>
/// A run's metrics in three files. metrics.csv follows PyTorch Lightning: steps count from 0; a step has a row with
/// <c>train_loss_step</c>, a validation one with <c>val_loss</c>, the end of an epoch one with <c>train_loss_epoch</c>, the latter two
/// under the number of the last step, other cells empty. metrics.jsonl has everything. TensorBoard events have the scalars.
/// </summary>
internal sealed class MetricsLog : IDisposable
{
    private const string CsvHeader = "epoch,step,train_loss_step,train_loss_epoch,val_loss\n";

    // Rows may lag behind by this much and no more.
    private static readonly TimeSpan FlushEvery = TimeSpan.FromSeconds(1);

    // JSON has no NaN; a diverging loss is written as the string "NaN".
    private readonly ArrayBufferWriter<byte> line = new();
    private readonly RunDirectory directory;
    private readonly RunClaim claim;
    private readonly AppendLog csv;
    private readonly AppendLog jsonLines;
    private readonly AppendLog events;
    private readonly string eventsFile;
    private long flushedAt;

    /// <param name="directory">The run.</param>
    /// <param name="claim">Checked before every append.</param>
    /// <param name="resumeAt">Where the files are cut; null to begin anew.</param>
    /// <exception cref="InputException">A file is shorter than it was when the checkpoint was written.</exception>
    public MetricsLog(RunDirectory directory, RunClaim claim, MetricsPosition? resumeAt)
    {
        this.directory = directory;
        this.claim = claim;
        if (resumeAt is null) DeleteOldEvents();
        eventsFile = resumeAt?.EventsFile ?? TensorBoardEvents.FileName(directory.Time.GetUtcNow());
        var opened = new List<AppendLog>();
        try
        {
            opened.Add(csv = Open(directory.MetricsCsvPath, resumeAt?.Csv ?? 0));
            opened.Add(jsonLines = Open(directory.MetricsJsonPath, resumeAt?.JsonLines ?? 0));
            opened.Add(events = Open(directory.In(eventsFile), resumeAt?.Events ?? 0));
        }
        catch
        {
            foreach (AppendLog log in opened) log.Dispose();
            throw;
        }
        if (csv.IsEmpty) Csv(CsvHeader);
        if (events.IsEmpty) TensorBoardEvents.WriteHeader(events.Buffer, directory.Time.GetUtcNow());
        flushedAt = directory.Time.GetTimestamp();
    }

    /// <summary>What another run had logged at a checkpoint becomes the beginning of this one's.</summary>
    /// <param name="from">The other run.</param>
    /// <param name="to">This one, which has no checkpoint yet.</param>
    /// <param name="claim">On this one.</param>
    /// <param name="position">Lengths at the checkpoint.</param>
    /// <param name="validated">Its validations are this one's too; else they are left out, and TensorBoard's events with them.</param>
    /// <returns>Lengths here.</returns>
    /// <exception cref="InputException">A file of the other run is shorter than that.</exception>
    public static MetricsPosition Inherit(RunDirectory from, RunDirectory to, RunClaim claim, MetricsPosition position, bool validated)
    {
        claim.EnsureHeld();
        foreach (string old in Directory.GetFiles(to.Path, TensorBoardEvents.FilePattern)) to.Storage.DeleteFile(old);
        return position with
        {
            Csv = Take(Path.GetFileName(from.MetricsCsvPath), position.Csv, line => line.EndsWith(',') || line + "\n" == CsvHeader),
            JsonLines = Take(Path.GetFileName(from.MetricsJsonPath), position.JsonLines, line => !line.StartsWith("{\"kind\":\"validation\"", StringComparison.Ordinal)),
            Events = validated ? Take(position.EventsFile, position.Events, null) : 0,
        };

        long Take(string name, long length, Func<string, bool>? keeps)
        {
            string source = from.In(name);
            byte[] bytes = File.Exists(source) ? File.ReadAllBytes(source) : [];
            if (bytes.Length < length) throw new InputException(source, $"{bytes.Length} bytes", $"at least the {length} there were at the checkpoint", "restore the file");
            bytes = bytes[..(int)length];
            if (!validated && keeps is not null)
            {
                string[] lines = Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries);
                bytes = Encoding.UTF8.GetBytes(string.Concat(lines.Where(keeps).Select(line => line + "\n")));
            }
            to.Storage.WriteAtomically(to.In(name), bytes);
            return bytes.Length;
        }
    }

    /// <summary>One optimizer step.</summary>
    /// <param name="epoch">From 0.</param>
    /// <param name="step">From 0.</param>
    /// <param name="loss">Mean over the step's items.</param>
    /// <param name="scalars">Everything else that was measured.</param>
    public void Step(long epoch, long step, double loss, IEnumerable<KeyValuePair<string, double>> scalars)
    {
        Csv(string.Create(CultureInfo.InvariantCulture, $"{epoch},{step},{loss:R},,\n"));
        Record("step", "train/", epoch, step, [KeyValuePair.Create("train_loss", loss), .. scalars]);
        if (directory.Time.GetElapsedTime(flushedAt) >= FlushEvery) Flush();
    }

    public void Validation(long epoch, long step, IReadOnlyDictionary<string, double> scalars)
    {
        Csv(string.Create(CultureInfo.InvariantCulture, $"{epoch},{step},,,{scalars["val_loss"]:R}\n"));
        Record("validation", "validation/", epoch, step, scalars);
        Flush();
    }

    /// <param name="epoch">From 0.</param>
    /// <param name="step">The epoch's last, from 0.</param>
    /// <param name="loss">Mean over the epoch's items, each step's loss taken with the weights of that step.</param>
    public void Epoch(long epoch, long step, double loss)
    {
        Csv(string.Create(CultureInfo.InvariantCulture, $"{epoch},{step},,{loss:R},\n"));
        Record("epoch", "epoch/", epoch, step, [KeyValuePair.Create("train_loss", loss)]);
    }

    /// <summary>Hands all rows to the operating system.</summary>
    public void Flush()
    {
        claim.EnsureHeld();
        foreach (AppendLog log in (AppendLog[])[csv, jsonLines, events]) log.EnsureInPlace();
        csv.Flush();
        jsonLines.Flush();
        events.Flush();
        flushedAt = directory.Time.GetTimestamp();
    }

    /// <summary>Flushes all rows to the medium; what a checkpoint records of them is then true whatever happens next.</summary>
    public MetricsPosition Sync()
    {
        Flush();
        csv.Sync();
        jsonLines.Sync();
        events.Sync();
        foreach (AppendLog log in (AppendLog[])[csv, jsonLines, events]) log.EnsureInPlace();
        directory.Storage.SyncDirectory(directory.Path);
        return new MetricsPosition(csv.Length, jsonLines.Length, events.Length, eventsFile);
    }

    public void Dispose()
    {
        csv.Dispose();
        jsonLines.Dispose();
        events.Dispose();
    }

    private AppendLog Open(string path, long length)
    {
        long found = File.Exists(path) ? new FileInfo(path).Length : 0;
        if (found < length)
            throw new InputException(path, $"{found} bytes", $"at least the {length} there were at the checkpoint",
                "restore the file, or train again in another directory");
        return new AppendLog(directory.Storage, path, length);
    }

    private void DeleteOldEvents()
    {
        foreach (string old in Directory.GetFiles(directory.Path, TensorBoardEvents.FilePattern)) directory.Storage.DeleteFile(old);
    }

    private void Csv(string row) => Encoding.ASCII.GetBytes(row, csv.Buffer);

    private void Record(string kind, string tagPrefix, long epoch, long step, IEnumerable<KeyValuePair<string, double>> scalars)
    {
        line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("kind", kind);
            json.WriteNumber("epoch", epoch);
            json.WriteNumber("step", step);
            DateTimeOffset now = directory.Time.GetUtcNow();
            foreach ((string name, double value) in scalars)
            {
                if (double.IsFinite(value)) json.WriteNumber(name, value);
                else json.WriteString(name, value.ToString("R", CultureInfo.InvariantCulture));
                TensorBoardEvents.WriteScalar(events.Buffer, now, step, tagPrefix + name, (float)value);
            }
            json.WriteEndObject();
        }
        jsonLines.Buffer.Write(line.WrittenSpan);
        jsonLines.Buffer.Write("\n"u8);
    }
}
