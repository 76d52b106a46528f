using System.Diagnostics;
using System.IO.Pipes;
using ChemScale.Engine;
using ChemScale.Engine.Files;
using NUnit.Framework;

namespace ChemScale.Tests.Files;

public class StorageTests
{
    private static readonly DiskStorage Disk = DiskStorage.Shared;

    [Test]
    public void A_file_is_replaced_whole_and_nothing_is_left_beside_it()
    {
        using var folder = new TemporaryFolder();
        Disk.WriteAtomically(folder["a"], "first");
        Disk.WriteAtomically(folder["a"], "second");
        Assert.That(File.ReadAllText(folder["a"]), Is.EqualTo("second"));
        Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(1));
    }

    [Test]
    public void Whichever_operation_of_a_write_fails_the_file_is_the_old_one_or_the_new_and_the_failure_is_told()
    {
        using var folder = new TemporaryFolder();
        int failures = 0;
        for (int n = 1; ; n++)
        {
            Disk.WriteAtomically(folder["a"], "old");
            var storage = new FaultyStorage(n, Fault.Once);
            try
            {
                storage.WriteAtomically(folder["a"], "new");
            }
            catch (FaultyStorage.InjectedFault)
            {
                failures++;
                string expected = storage.FailedOperation.Contains("SyncDirectory", StringComparison.Ordinal) ? "new" : "old";
                Assert.That(File.ReadAllText(folder["a"]), Is.EqualTo(expected), storage.FailedOperation);
                Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(1), storage.FailedOperation);
            }
            if (!storage.Failed) break;
        }
        // Create, write, flush, rename, flush of the folder.
        Assert.That(failures, Is.EqualTo(5));
    }

    [Test]
    public void Of_many_that_make_a_file_one_does()
    {
        using var folder = new TemporaryFolder();
        bool[] made = new bool[16];
        Parallel.For(0, made.Length, i => made[i] = Disk.TryWriteNew(folder["a"], [(byte)i]));
        Assert.That(made.Count(m => m), Is.EqualTo(1));
        Assert.That(File.ReadAllBytes(folder["a"]), Is.EqualTo((byte[])[(byte)Array.IndexOf(made, true)]));
        Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(1));
    }

    [Test]
    public void Writers_of_one_file_do_not_meet()
    {
        using var folder = new TemporaryFolder();
        using var first = new PendingFile(folder["a"]);
        using var second = new PendingFile(folder["a"]);
        first.Writer.Write("first");
        second.Writer.Write("second");
        second.Complete();
        Assert.That(File.ReadAllText(folder["a"]), Is.EqualTo("second"));
        first.Complete();
        Assert.That(File.ReadAllText(folder["a"]), Is.EqualTo("first"));
    }

    [Test]
    public void What_a_dead_process_left_is_taken_away_and_what_a_living_one_writes_is_not()
    {
        using var folder = new TemporaryFolder();
        using var living = new PendingFile(folder["a"]);
        string mine = Directory.GetFiles(folder.Path).Single();
        Assert.That(TemporaryNames.Is(mine));
        string[] parts = Path.GetFileName(mine).Split('.')[1].Split('-');
        int dead;
        using (var process = Process.Start(new ProcessStartInfo("dotnet", "--version") { RedirectStandardOutput = true })!)
        {
            process.WaitForExit();
            dead = process.Id;
        }
        using var other = new TemporaryFolder();
        string left = other[$"a.{parts[0]}-{dead}-1-1.partial"], elsewhere = other["a.01234567-1-1-1.partial"], users = other["a.partial"];
        string alive = other[Path.GetFileName(mine)];
        foreach (string file in (string[])[left, elsewhere, users, alive]) File.WriteAllText(file, "");
        Disk.WriteAtomically(other["b"], "");
        Assert.That(Directory.GetFiles(other.Path), Is.EquivalentTo(new[] { elsewhere, users, alive, other["b"] }));
    }

    [Test, Platform("Linux")]
    public void What_cannot_be_flushed_is_no_failure()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using var end = new FileStream($"/proc/self/fd/{pipe.SafePipeHandle.DangerousGetHandle()}", FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        Assert.That(() => Disk.Sync(end), Throws.Nothing);
        using FileStream zero = File.OpenWrite("/dev/null");
        Assert.That(() => Disk.Sync(zero), Throws.Nothing);
    }

    [Test, Platform("Linux")]
    public void A_flush_that_fails_is_told()
    {
        using var folder = new TemporaryFolder();
        FileStream file = File.Create(folder["a"]);
        // Closed below: fsync answers EBADF, which is none of the errors of things that have no need of it.
        file.SafeFileHandle.Dispose();
        Assert.That(() => Disk.Sync(file), Throws.InstanceOf<Exception>());
        Assert.That(() => Disk.SyncDirectory(folder["none"]), Throws.InstanceOf<IOException>());
    }

    [Test]
    public void Another_file_of_the_same_content_has_another_stamp()
    {
        using var folder = new TemporaryFolder();
        Assert.That(FileStamp.Of(folder["a"]), Is.Null);
        File.WriteAllText(folder["a"], "same");
        File.WriteAllText(folder["b"], "same");
        FileStamp a = FileStamp.Of(folder["a"])!.Value, b = FileStamp.Of(folder["b"])!.Value;
        Assert.That(a.IsSameFile(b), Is.False);
        File.AppendAllText(folder["a"], "more");
        FileStamp grown = FileStamp.Of(folder["a"])!.Value;
        Assert.That(grown.IsSameFile(a));
        Assert.That((a.Length, grown.Length), Is.EqualTo((4L, 8L)));
        Assert.That(new DateTime(grown.Modified / 100, DateTimeKind.Utc).AddTicks(DateTime.UnixEpoch.Ticks), Is.EqualTo(File.GetLastWriteTimeUtc(folder["a"])));
    }

    [TestCase(2, true), TestCase(13, true), TestCase(17, true), TestCase(30, true)]
    [TestCase(5, false), TestCase(28, false), TestCase(122, false), TestCase(24, false), TestCase(116, false)]
    public void A_path_can_be_to_blame_or_the_system(int error, bool path)
    {
        // What .NET makes of them.
        Exception e = error switch { 2 => new FileNotFoundException(), 13 => new UnauthorizedAccessException(), _ => new IOException("", error) };
        Assert.That(FileErrors.IsRefusal(e), Is.EqualTo(path));
        Assert.That(FileErrors.IsOfTheSystem(e));
        Assert.That(FileErrors.IsOfTheSystem(new InputException("a", "b")), Is.False);
    }
}
