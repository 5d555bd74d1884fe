using System.Diagnostics;
using System.Runtime.InteropServices;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>A real file system of a few megabytes that can be filled up: tmpfs, mounted in a directory of its own.</summary>
sealed partial class MemoryVolume : IDisposable
{
    const string Prefix = "ashlar-full-disk-";
    const int Detach = 2; // MNT_DETACH: also when somebody is still in it.

    public MemoryVolume(int mebibytes)
    {
        RemoveLeftovers();
        Path = Directory.CreateTempSubdirectory($"{Prefix}{Environment.ProcessId}-").FullName;
        AppDomain.CurrentDomain.ProcessExit += CleanUpAtExit;
        try
        {
            using var mount = Process.Start(new ProcessStartInfo("mount", ["-t", "tmpfs", "-o", $"size={mebibytes}m", "ashlar", Path])
            {
                RedirectStandardError = true,
                UseShellExecute = false,
            })!;
            var error = mount.StandardError.ReadToEnd();
            mount.WaitForExit();
            if (mount.ExitCode != 0) throw new InvalidOperationException($"mount: {error.Trim()}");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Path { get; }

    /// <summary>Null if such a file system can be mounted here, else what is missing.</summary>
    public static string? WhyNot { get; } = Probe();

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= CleanUpAtExit;
        _ = Unmount(Path, Detach);
        Directory.Delete(Path, recursive: true);
    }

    void CleanUpAtExit(object? sender, EventArgs e) => Dispose();

    static void RemoveLeftovers()
    {
        foreach (var path in Directory.GetDirectories(System.IO.Path.GetTempPath(), Prefix + "*"))
        {
            var owner = System.IO.Path.GetFileName(path)[Prefix.Length..].Split('-')[0];
            if (Directory.Exists($"/proc/{owner}")) continue;
            _ = Unmount(path, Detach);
            Directory.Delete(path, recursive: true);
        }
    }

    static string? Probe()
    {
        if (!OperatingSystem.IsLinux()) return "no Linux";
        if (UserId() != 0) return "not root";
        if (ExternalTool.Find("mount") is null) return "mount is missing";
        try
        {
            new MemoryVolume(1).Dispose();
            return null;
        }
        catch (InvalidOperationException refused)
        {
            return refused.Message;
        }
    }

    [LibraryImport("libc", EntryPoint = "umount2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint UserId();
}

/// <summary>A theory that fills a real file system. Where none can be mounted it is skipped, and says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class FullDiskTheoryAttribute : TheoryAttribute
{
    public FullDiskTheoryAttribute()
    {
        if (MemoryVolume.WhyNot is { } reason) Skip = $"not run: a disk that is really full needs root and tmpfs ({reason})";
    }
}
