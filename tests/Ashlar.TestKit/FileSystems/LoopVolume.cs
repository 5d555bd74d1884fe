using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Ashlar.TestKit;

/// <summary>
/// A file system in a file, mounted, that can be filled, and whose power can be cut: the "shutdown" ioctl that xfstests uses. What the
/// file system had not written to the device is gone, its journal's tail included; the device (a file of the host) is intact.
/// </summary>
public sealed partial class LoopVolume : IDisposable
{
    const uint ShutdownRequest = 0x8004587D; // _IOR('X', 125, __u32)
    const uint NoLogFlush = 2;
    const string Prefix = "ashlar-loop-volume-", MountName = "mount";

    readonly string root;
    readonly string type;
    readonly string options;
    readonly LoopDevice? device;
    bool isMounted;

    public LoopVolume(string mountOptions = "", string type = "ext4", int mebibytes = 128)
    {
        this.type = type;
        Mounts.RemoveLeftovers(Prefix, MountName, static root => LoopDevice.DetachAllOf(ImageIn(root)));
        root = Mounts.CreateRoot(Prefix);
        MountPoint = Path.Combine(root, MountName);
        options = mountOptions;
        Directory.CreateDirectory(MountPoint);
        AppDomain.CurrentDomain.ProcessExit += CleanUpAtExit;
        try
        {
            using (var file = File.Create(Image)) file.SetLength((long)mebibytes << 20);
            ExternalTool.Run($"mkfs.{type}", "-q", type == "xfs" ? "-f" : "-F", Image).MustSucceed();
            device = new LoopDevice(Image);
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

    /// <summary>
    /// Null while the device works, else what is wrong with it. Then nothing that was read from the volume says anything about who wrote
    /// it.
    /// </summary>
    public string? WhyBroken => device!.WhyBroken();

    string Image => ImageIn(root);

    /// <summary>Null if there can be such a volume here, else what is missing.</summary>
    /// <param name="type">Of the file system.</param>
    /// <param name="mebibytes">Its size.</param>
    /// <param name="trial">What has to work with it.</param>
    public static string? WhyNotOf(string type, int mebibytes, Action<LoopVolume> trial)
    {
        if (!OperatingSystem.IsLinux()) return "no Linux";
        if (!Mounts.IsRoot) return "not root";
        if (ExternalTool.WhyNot($"mkfs.{type}", "mount") is { } missing) return missing;
        try
        {
            using var volume = new LoopVolume("", type, mebibytes);
            trial(volume);
            return null;
        }
        catch (Exception error) when (error is Win32Exception or ToolException or IOException or BrokenVolumeException)
        {
            return error.Message.ReplaceLineEndings(" ");
        }
    }

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

    /// <summary>As ext4 becomes by itself when its device fails: what is open for writing cannot be written any more.</summary>
    public void MakeReadOnly() => ExternalTool.Run("mount", "-o", "remount,abort", MountPoint).MustSucceed();

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
        device?.Dispose();
        Directory.Delete(root, recursive: true);
    }

    void Mount()
    {
        string[] chosen = options.Length == 0 ? [] : ["-o", options];
        ExternalTool.Run("mount", ["-t", type, .. chosen, device!.DevicePath, MountPoint]).MustSucceed();
        isMounted = true;
    }

    void Unmount()
    {
        Mounts.Unmount(MountPoint);
        isMounted = false;
        device!.WaitUntilUnmountedEverywhere();
    }

    static string ImageIn(string root) => Path.Combine(root, "image");

    void CleanUpAtExit(object? sender, EventArgs e) => Dispose();

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static unsafe partial int IoControl(int descriptor, nuint request, uint* argument);
}
