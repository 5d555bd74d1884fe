using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Ashlar.TestKit;

/// <summary>Mounts of tests, and what is left of them when the test's own process was killed.</summary>
static partial class Mounts
{
    const int Busy = 16; // EBUSY
    const int BusyAttempts = 500;

    public static bool IsRoot => OperatingSystem.IsLinux() && UserId() == 0;

    /// <summary>
    /// A directory for a mount point and its image. Its name says whose it is: process ids are used again, start times not.
    /// </summary>
    public static string CreateRoot(string prefix) =>
        Directory.CreateTempSubdirectory($"{prefix}{Environment.ProcessId}.{StartOf(Environment.ProcessId)}-").FullName;

    /// <summary>Waits until what killed processes had open is closed, which is a moment after their death was seen.</summary>
    public static void Unmount(string mountPoint)
    {
        for (var attempt = 0; Unmount(mountPoint, 0) != 0; attempt++)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != Busy || attempt > BusyAttempts)
                throw new Win32Exception(error, $"umount {mountPoint}: {Marshal.GetPInvokeErrorMessage(error)}");
            Thread.Sleep(10);
        }
    }

    /// <summary>Unmounts and deletes what a run left that was killed itself. What cannot be unmounted is left as it is.</summary>
    /// <param name="prefix">Of <see cref="CreateRoot"/>.</param>
    /// <param name="mountName">Name of the mount point in the root; empty if the root is one itself.</param>
    /// <param name="giveBack">Gives back what else belongs to a root, before it is deleted.</param>
    public static void RemoveLeftovers(string prefix, string mountName, Action<string>? giveBack = null)
    {
        foreach (var root in Directory.GetDirectories(Path.GetTempPath(), prefix + "*"))
        {
            if (IsAlive(Path.GetFileName(root)[prefix.Length..].Split('-')[0])) continue;
            var mountPoint = Path.Combine(root, mountName);
            if (IsMounted(mountPoint) && Unmount(mountPoint, 0) != 0) continue;
            if (IsMounted(mountPoint)) continue;
            giveBack?.Invoke(root);
            Directory.Delete(root, recursive: true);
        }
    }

    public static bool IsMounted(string path) =>
        File.ReadLines("/proc/self/mounts").Any(line => line.Split(' ') is [_, var mountPoint, ..] && mountPoint == path);

    static bool IsAlive(string owner) => owner.Split('.') is [var id, var start]
        && int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var processId)
        && StartOf(processId) == start;

    // Field 22 of /proc/PID/stat (proc(5)); the name before it may hold anything, but ends with the last parenthesis.
    static string? StartOf(int processId)
    {
        const int fieldsBehindName = 19;
        try
        {
            var text = File.ReadAllText($"/proc/{processId}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ')[fieldsBehindName];
        }
        catch (IOException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint UserId();
}
