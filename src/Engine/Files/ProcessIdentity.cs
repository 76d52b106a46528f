using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace ChemScale.Engine.Files;

/// <summary>
/// A process as seen from others: host, the space its id counts in (containers share a host's name, not its ids), id and start time, since
/// ids are used again.
/// </summary>
public sealed record ProcessIdentity(string Host, string PidSpace, string User, int Pid, string Started)
{
    public static ProcessIdentity Current { get; } =
        new(Environment.MachineName, OwnPidSpace(), Environment.UserName, Environment.ProcessId, StartOf(Environment.ProcessId) ?? "");

    /// <summary>True only where it can be known: same host, space and user, and no such process any more.</summary>
    public bool IsKnownDead()
    {
        // Hosts may hide other users' processes.
        if (Host != Current.Host || PidSpace != Current.PidSpace || User != Current.User) return false;
        return StartOf(Pid) != Started;
    }

    private static string OwnPidSpace()
    {
        if (!OperatingSystem.IsLinux()) return "";
        try
        {
            return new FileInfo("/proc/self/ns/pid").LinkTarget ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A kernel that hides it: hosts are then told apart by name alone.
            return "";
        }
    }

    /// <summary>When a process started, in units that only need to be equal; null where there is none or it is only a corpse.</summary>
    internal static string? StartOf(int pid)
    {
        try
        {
            if (!OperatingSystem.IsLinux())
            {
                using Process process = Process.GetProcessById(pid);
                return process.HasExited ? null : process.StartTime.ToUniversalTime().ToString("s", CultureInfo.InvariantCulture);
            }
            // proc(5): after the command in parentheses comes the state (field 3) and, as field 22, the start in clock ticks since boot.
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : fields[19];
        }
        catch (Exception e) when (e is IOException or ArgumentException or InvalidOperationException or Win32Exception)
        {
            // Each of them is how a platform says: no such process.
            return null;
        }
    }
}
