using ChemScale.Engine;
using ChemScale.Engine.Native;
using ChemScale.Tests.Cli;
using NUnit.Framework;

namespace ChemScale.Tests.Native;

/// <summary>The number of threads, on machines that are folders.</summary>
[Category("Smoke")]
public class ProcessorBudgetTests
{
    private const string Second = "30 25 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
    private const string First = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct";

    private string root = null!;

    [SetUp]
    public void Make_a_machine()
    {
        root = Directory.CreateTempSubdirectory("machine-").FullName;
        Write("proc/self/status", "Name:\tx\nCpus_allowed:\tf\nCpus_allowed_list:\t0-3\n");
        Write("sys/devices/system/cpu/online", "0-3\n");
    }

    [TearDown]
    public void Remove_it() => Directory.Delete(root, recursive: true);

    [Test]
    public void Without_limits_all_cores_are_ours() => Expect_threads(4, "all 4 cores");

    [TestCase("0-1", 2, "affinity, 2 of 4 cores")]
    [TestCase("0,2-3", 3, "affinity, 3 of 4 cores")]
    [TestCase("3", 1, "affinity, 1 of 4 cores")]
    public void Affinity_limits(string list, int count, string reason)
    {
        Write("proc/self/status", $"Cpus_allowed_list:\t{list}\n");
        Expect_threads(count, reason);
    }

    [TestCase("150000 100000", 1, "cgroup quota 1.5 of 4 cores")]
    [TestCase("399999 100000", 3, "cgroup quota 3.99 of 4 cores")]
    [TestCase("50000 100000", 1, "cgroup quota 0.5 of 4 cores")]
    [TestCase("20000 10000", 2, "cgroup quota 2 of 4 cores")]
    [TestCase("800000 100000", 4, "all 4 cores")]
    [TestCase("max 100000", 4, "all 4 cores")]
    public void A_quota_of_version_2_is_rounded_down(string quota, int count, string reason)
    {
        Group("0::/user.slice/job", Second);
        Write("sys/fs/cgroup/user.slice/job/cpu.max", quota + "\n");
        Expect_threads(count, reason);
    }

    [TestCase("250000", "100000", 2, "cgroup quota 2.5 of 4 cores")]
    [TestCase("10000", "100000", 1, "cgroup quota 0.1 of 4 cores")]
    [TestCase("-1", "100000", 4, "all 4 cores")]
    public void A_quota_of_version_1_is_rounded_down(string quota, string period, int count, string reason)
    {
        Group("5:memory:/elsewhere\n4:cpu,cpuacct:/slurm/job_7", First, "33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory");
        Write("sys/fs/cgroup/cpu,cpuacct/slurm/job_7/cpu.cfs_quota_us", quota);
        Write("sys/fs/cgroup/cpu,cpuacct/slurm/job_7/cpu.cfs_period_us", period);
        Expect_threads(count, reason);
    }

    [TestCase("", 3)]
    [TestCase("/a", 3)]
    [TestCase("/a/b", 2)]
    [TestCase("/a/b/c", 2)]
    public void Of_nested_groups_the_least_counts(string group, int count)
    {
        Group($"0::{(group.Length == 0 ? "/" : group)}", Second);
        Write("sys/fs/cgroup/cpu.max", "300000 100000");
        Write("sys/fs/cgroup/a/cpu.max", "max 100000");
        Write("sys/fs/cgroup/a/b/cpu.max", "200000 100000");
        Write("sys/fs/cgroup/a/b/c/cpu.max", "350000 100000");
        Write("sys/fs/cgroup/a/b/c/of-others/cpu.max", "100000 100000");
        Expect_threads(count);
    }

    [Test]
    public void A_group_that_is_itself_the_top_of_the_mount_is_found()
    {
        // A container of version 1 without a namespace of its own for groups.
        Group("4:cpu:/docker/0f", "32 31 0:29 /docker/0f /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu");
        Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000");
        Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
        Expect_threads(2, "cgroup quota 2 of 4 cores");
    }

    [Test]
    public void A_group_outside_of_the_mount_leaves_the_mount_itself()
    {
        Group("0::/../other", Second);
        Write("sys/fs/cgroup/cpu.max", "200000 100000");
        Write("sys/fs/other/cpu.max", "100000 100000");
        Expect_threads(2);
    }

    [Test]
    public void Both_versions_side_by_side_count_and_the_unified_one_of_old_systems_does_no_harm()
    {
        Group("4:cpu:/a b\n0::/", "31 25 0:28 / /sys/fs/cgroup\\040v1/cpu rw - cgroup cgroup rw,cpu", "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw");
        Write("sys/fs/cgroup v1/cpu/a b/cpu.cfs_quota_us", "300000");
        Write("sys/fs/cgroup v1/cpu/a b/cpu.cfs_period_us", "100000");
        Expect_threads(3, "cgroup quota 3 of 4 cores");
    }

    [TestCase("", "", "")]
    [TestCase("nonsense", "x - y", "max")]
    [TestCase("0::/job", Second, "")]
    [TestCase("0::/job", Second, "1.5 cores")]
    [TestCase("0::/job", Second, "100000 0")]
    [TestCase("0::/job", Second, "-5 100000")]
    [TestCase("0::/job", Second, "99999999999999999999 100000")]
    [TestCase("0:/job", Second, "100000 100000")]
    [TestCase("0::/job", "30 25 0:26 / - cgroup2 cgroup2 rw", "100000 100000")]
    public void What_means_nothing_limits_nothing(string group, string mount, string quota)
    {
        Group(group, mount);
        Write("sys/fs/cgroup/job/cpu.max", quota);
        Expect_threads(4, "all 4 cores");
    }

    [TestCase("0-", 7)]
    [TestCase("3-0", 7)]
    [TestCase("", 7)]
    public void Where_affinity_cannot_be_read_the_runtime_counts(string list, int runtime)
    {
        Write("proc/self/status", $"Cpus_allowed_list:\t{list}\n");
        Assert.That(ProcessorBudget.Find(root, _ => null, runtime).Count, Is.EqualTo(runtime));
        Directory.Delete(Path.Combine(root, "proc"), recursive: true);
        Assert.That(ProcessorBudget.Find(root, _ => null, runtime).Count, Is.EqualTo(runtime));
        Assert.That(ProcessorBudget.Find(root, _ => null, 0).Count, Is.EqualTo(1));
    }

    [TestCase("SLURM_CPUS_PER_TASK", "2", 2, "SLURM_CPUS_PER_TASK=2 of 4 cores")]
    [TestCase("OMP_NUM_THREADS", "1", 1, "OMP_NUM_THREADS=1 of 4 cores")]
    [TestCase("OMP_NUM_THREADS", " 3,2", 3, "OMP_NUM_THREADS=3 of 4 cores")]
    [TestCase("OMP_NUM_THREADS", "16", 4, "all 4 cores")]
    [TestCase("OMP_NUM_THREADS", "0", 4, "all 4 cores")]
    [TestCase("SLURM_CPUS_PER_TASK", "many", 4, "all 4 cores")]
    [TestCase("DOTNET_PROCESSOR_COUNT", "2", 2, "DOTNET_PROCESSOR_COUNT=2 of 4 cores")]
    public void The_environment_limits(string variable, string value, int count, string reason) =>
        Assert.That(ProcessorBudget.Find(root, name => name == variable ? value : null, 2), Is.EqualTo(new ProcessorBudget.Limit(count, reason)));

    [Test]
    public void The_least_of_all_decides_and_is_named()
    {
        Group("0::/", Second);
        Write("sys/fs/cgroup/cpu.max", "250000 100000");
        Assert.That(ProcessorBudget.Find(root, name => name == "OMP_NUM_THREADS" ? "3" : null, 4).Reason, Is.EqualTo("cgroup quota 2.5 of 4 cores"));
        Assert.That(ProcessorBudget.Find(root, name => name == "SLURM_CPUS_PER_TASK" ? "1" : null, 4).Reason, Is.EqualTo("SLURM_CPUS_PER_TASK=1 of 4 cores"));
    }

    [Test]
    public void Libtorch_and_doctor_have_the_number_of_the_process()
    {
        Outcome outcome = Cli.CommandLine.Bash("SLURM_CPUS_PER_TASK=1 exec \"$@\"", ["doctor"]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        string cores = ProcessorBudget.Count == 1 ? "1: one core" : "1: SLURM_CPUS_PER_TASK=1 of ";
        Assert.That(outcome.Output, Does.Match($@"threads +ok +{cores}").And.Contain("right, on 1 threads"));
    }

    [Test]
    public void Libtorch_waits_as_we_say_and_programs_that_we_start_do_not()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("GNU OpenMP of Linux");
        // OpenMP says itself what it has read.
        Outcome ours = Cli.CommandLine.Bash("unset OMP_WAIT_POLICY GOMP_SPINCOUNT KMP_BLOCKTIME; OMP_DISPLAY_ENV=verbose exec \"$@\"", ["doctor"]);
        Assert.That(ours.Error, Does.Contain("GOMP_SPINCOUNT = '1000'"));
        Assert.That(ours.Output, Does.Contain("waiting by GOMP_SPINCOUNT=1000"));
        Assert.That(NativeLibraries.Failure, Is.Null);
        Assert.That(System.Environment.GetEnvironmentVariables().Keys, Has.No.Member("GOMP_SPINCOUNT").Or.Member("OMP_WAIT_POLICY").Or.Member("KMP_BLOCKTIME"));
    }

    [TestCase("GOMP_SPINCOUNT=77", "GOMP_SPINCOUNT = '77'")]
    [TestCase("OMP_WAIT_POLICY=passive", "OMP_WAIT_POLICY = 'PASSIVE'", "GOMP_SPINCOUNT = '0'")]
    [TestCase("KMP_BLOCKTIME=5", "GOMP_SPINCOUNT = '300000'")]
    public void Who_has_chosen_how_threads_wait_has_it_so(string variable, params string[] said)
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("GNU OpenMP of Linux");
        Outcome outcome = Cli.CommandLine.Bash($"unset OMP_WAIT_POLICY GOMP_SPINCOUNT KMP_BLOCKTIME; {variable} OMP_DISPLAY_ENV=verbose exec \"$@\"", ["doctor"]);
        foreach (string line in said) Assert.That(outcome.Error, Does.Contain(line));
        Assert.That(outcome.Output, Does.Contain($"waiting by {variable} of the environment"));
    }

    [Test]
    public void A_core_that_others_keep_busy_is_left_to_them_until_they_rest()
    {
        double now = 0, all = 0, own = 0;
        var neighbours = new OtherProcesses(4, () => now, () => (all, own));
        Assert.That(Turn(1.6, 1.6), Is.EqualTo(4), "we alone");
        Assert.That(Turn(2.1, 2), Is.EqualTo(4), "a trifle");
        Assert.That(Turn(2, 1.5), Is.EqualTo(3), "half a core and more");
        Assert.That(Turn(2, 1.75), Is.EqualTo(3), "between the limits: as before");
        Assert.That(Turn(1.2, 1.1), Is.EqualTo(4), "they rest");
        Assert.That(Turn(4, 0), Is.EqualTo(1), "all taken");
        Assert.That(Turn(1, 2), Is.EqualTo(4), "the kernel's rounding");
        Assert.That(neighbours.Leave(2), Is.EqualTo(2), "never more than were wanted");
        all += 100;
        now += 0.1;
        Assert.That(neighbours.Leave(4), Is.EqualTo(4), "not looked at yet");

        int Turn(double together, double ours)
        {
            now += 1;
            all += together;
            own += ours;
            return neighbours.Leave(4);
        }
    }

    [Test]
    public void Nothing_is_left_to_neighbours_that_cannot_be_seen()
    {
        double now = 0;
        var neighbours = new OtherProcesses(2, () => now++, () => null);
        Assert.That(neighbours.Leave(2), Is.EqualTo(2));
        Assert.That(neighbours.Leave(2), Is.EqualTo(2));
    }

    [Test]
    public void Work_of_our_cores_is_read_from_the_kernel_s_table()
    {
        string[] lines =
        [
            "cpu  1000 0 0 9000 0 0 0 0 0 0", "cpu0 100 20 30 4000 50 6 7 8 0 0", "cpu1 100 0 0 5 0 0 0 0 0 0", "cpu10 1 0 0 0 0 0 0 0 0 0",
            "cpu2 short", "intr 5 0 0 0 0 0 0 0 0",
        ];
        Expect.Close(OtherProcesses.Worked(lines, [0])!.Value, 1.71, absolute: 1e-12);
        Expect.Close(OtherProcesses.Worked(lines, [1, 10])!.Value, 1.01, absolute: 1e-12);
        Assert.That(OtherProcesses.Worked(lines, [7]), Is.Null);
    }

    private void Group(string groups, params string[] mounts)
    {
        Write("proc/self/cgroup", groups + "\n");
        Write("proc/self/mountinfo", "21 1 8:1 / / rw - ext4 /dev/vda rw\n" + string.Join('\n', mounts) + "\n");
    }

    private void Write(string path, string text)
    {
        string file = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    private void Expect_threads(int count, string? reason = null)
    {
        ProcessorBudget.Limit limit = ProcessorBudget.Find(root, _ => null, 4);
        Assert.That(limit.Count, Is.EqualTo(count));
        if (reason is not null) Assert.That(limit.Reason, Is.EqualTo(reason));
    }
}
