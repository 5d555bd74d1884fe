using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>
/// A file system in a file, mounted, that can be filled, and whose power can be cut: the "shutdown" ioctl that xfstests uses. What the
/// file system had not written to the device is gone, its journal's tail included; the device (a file of the host) is intact.
/// </summary>
sealed partial class LoopVolume : IDisposable
{
    const uint ShutdownRequest = 0x8004587D; // _IOR('X', 125, __u32)
    const uint NoLogFlush = 2;
    const int Busy = 16;
    const string Prefix = "ashlar-loop-volume-";

    readonly string image;
    readonly string type;
    readonly string options;
    bool isMounted;

    public LoopVolume(string mountOptions = "", string type = "ext4", int mebibytes = 128)
    {
        this.type = type;
        RemoveLeftovers();
        // The name says whose it is, so that a later run can tell leftovers from what is in use.
        var root = Directory.CreateTempSubdirectory($"{Prefix}{Environment.ProcessId}-").FullName;
        image = Path.Combine(root, "image");
        MountPoint = Path.Combine(root, "mount");
        options = mountOptions;
        Directory.CreateDirectory(MountPoint);
        AppDomain.CurrentDomain.ProcessExit += CleanUpAtExit;
        try
        {
            using (var file = File.Create(image)) file.SetLength((long)mebibytes << 20);
            Run($"mkfs.{type}", "-q", type == "xfs" ? "-f" : "-F", image);
            Mount();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string MountPoint { get; }

    /// <summary>Null if power can be cut here, else what is missing.</summary>
    public static string? WhyNot { get; } = WhyNotOf("ext4", 128, static volume =>
    {
        volume.CutPower();
        volume.Remount();
    });

    /// <summary>From here on nothing reaches the device any more; flushes fail.</summary>
    public unsafe void CutPower()
    {
        var directory = Open(MountPoint, 0);
        if (directory < 0) throw new Win32Exception();
        var flags = NoLogFlush;
        var result = IoControl(directory, ShutdownRequest, &flags);
        var error = Marshal.GetLastPInvokeError();
        _ = Close(directory);
        if (result != 0) throw new Win32Exception(error, $"The shutdown ioctl failed: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <summary>As a reboot does; nobody may have files open.</summary>
    public void Remount()
    {
        Unmount();
        Mount();
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= CleanUpAtExit;
        if (isMounted) Unmount();
        Directory.Delete(Path.GetDirectoryName(image)!, recursive: true);
    }

    void Mount()
    {
        // The loop device is given back by itself when the last user goes.
        Run("mount", "-t", type, "-o", options.Length == 0 ? "loop" : $"loop,{options}", image, MountPoint);
        isMounted = true;
    }

    void Unmount()
    {
        // What a killed process had open is closed a moment after its death was seen.
        for (var attempt = 0; Unmount(MountPoint, 0) != 0; attempt++)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != Busy || attempt > 500) throw new Win32Exception(error, $"umount {MountPoint}: {Marshal.GetPInvokeErrorMessage(error)}");
            Thread.Sleep(10);
        }

        isMounted = false;
    }

    void CleanUpAtExit(object? sender, EventArgs e) => Dispose();

    /// <summary>Unmounts and deletes what a run left that was killed itself.</summary>
    static void RemoveLeftovers()
    {
        foreach (var root in Directory.GetDirectories(Path.GetTempPath(), Prefix + "*"))
        {
            var owner = Path.GetFileName(root)[Prefix.Length..].Split('-')[0];
            if (Directory.Exists($"/proc/{owner}")) continue;
            _ = Unmount(Path.Combine(root, "mount"), 0);
            try
            {
                Directory.Delete(root, recursive: true);
            }
            catch (IOException)
            {
                // Still in use after all; the next run tries again.
            }
        }
    }

    /// <summary>Null if there can be such a volume here, else what is missing.</summary>
    /// <param name="type">Of the file system.</param>
    /// <param name="mebibytes">Its size.</param>
    /// <param name="trial">What has to work with it.</param>
    public static string? WhyNotOf(string type, int mebibytes, Action<LoopVolume> trial)
    {
        if (!OperatingSystem.IsLinux()) return "no Linux";
        if (UserId() != 0) return "not root";
        foreach (var tool in (string[])[$"mkfs.{type}", "mount"])
        {
            if (Find(tool) is null) return $"{tool} is missing";
        }

        try
        {
            using var volume = new LoopVolume("", type, mebibytes);
            trial(volume);
            return null;
        }
        catch (Exception error) when (error is Win32Exception or InvalidOperationException or IOException)
        {
            return error.Message;
        }
    }

    static string? Find(string tool) => ExternalTool.Find(tool)
        ?? ((string[])["/usr/sbin", "/sbin"]).Select(directory => Path.Combine(directory, tool)).FirstOrDefault(File.Exists);

    static void Run(string tool, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Find(tool)!, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{tool} {string.Join(' ', arguments)}: {error.Trim()}");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static unsafe partial int IoControl(int descriptor, nuint request, uint* argument);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint UserId();
}

/// <summary>A theory that cuts the power of a real file system. Where that is not possible it is skipped, and says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class PowerCutTheoryAttribute : TheoryAttribute
{
    public PowerCutTheoryAttribute()
    {
        if (LoopVolume.WhyNot is { } reason) Skip = $"not run: power cuts of a real file system need root, loop devices and ext4 ({reason})";
    }
}
