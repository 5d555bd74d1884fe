using System.Diagnostics;

namespace Ashlar.TestKit;

/// <summary>
/// An ext4 on an NBD export, mounted: nbdfuse shows the export as a file, and a loop device takes the file for a disk. What the file
/// system flushes is flushed in the export; nothing is kept back on the way.
/// </summary>
public sealed class NbdMount : IDisposable
{
    const string Prefix = "ashlar-nbd-mount-", MountName = "mount", ExportName = "export", DiskName = "disk", FuseDevice = "/dev/fuse";

    readonly string root;
    readonly Process nbdfuse;
    LoopDevice? device;

    /// <summary>Mounts what is on the export; its journal is replayed.</summary>
    /// <param name="uri">Of the export.</param>
    /// <param name="isNew">Whether a file system is made first.</param>
    public NbdMount(string uri, bool isNew)
    {
        Mounts.RemoveLeftovers(Prefix, MountName, GiveBack);
        root = Mounts.CreateRoot(Prefix);
        MountPoint = Path.Combine(root, MountName);
        Directory.CreateDirectory(MountPoint);
        Directory.CreateDirectory(ExportIn(root));
        // Who is no root has to get through to the mount point.
        ExternalTool.Run("chmod", "a+x", root).MustSucceed();
        AppDomain.CurrentDomain.ProcessExit += CleanUpAtExit;
        nbdfuse = Process.Start(ExternalTool.Find("nbdfuse")!, [DiskIn(root), uri]);
        try
        {
            WaitForDisk(uri);
            device = new LoopDevice(DiskIn(root));
            if (isNew) ExternalTool.Run("mkfs.ext4", "-q", "-F", "-E", "nodiscard", device.DevicePath).MustSucceed();
            ExternalTool.Run("mount", "-t", "ext4", device.DevicePath, MountPoint).MustSucceed();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string MountPoint { get; }

    /// <summary>Null if there is FUSE here, else what is missing. Whoever may mount an ext4 may mount this.</summary>
    public static string? WhyNoFuse
    {
        get
        {
            try
            {
                using var fuse = File.Open(FuseDevice, FileMode.Open, FileAccess.ReadWrite);
                return null;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return error.Message;
            }
        }
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= CleanUpAtExit;
        try
        {
            if (Mounts.IsMounted(MountPoint)) Mounts.Unmount(MountPoint);
            device?.Dispose();
            device = null;
            // nbdfuse ends when its file system is gone.
            if (Mounts.IsMounted(ExportIn(root))) Mounts.Unmount(ExportIn(root));
            if (!nbdfuse.WaitForExit(Waiting.Limit)) throw new BrokenVolumeException("nbdfuse does not end when it is unmounted");
        }
        finally
        {
            if (!nbdfuse.HasExited) nbdfuse.Kill();
            nbdfuse.Dispose();
        }

        Directory.Delete(root, recursive: true);
    }

    static string ExportIn(string root) => Path.Combine(root, ExportName);

    static string DiskIn(string root) => Path.Combine(ExportIn(root), DiskName);

    static void GiveBack(string root)
    {
        LoopDevice.DetachAllOf(DiskIn(root));
        if (Mounts.IsMounted(ExportIn(root))) Mounts.Unmount(ExportIn(root));
    }

    void WaitForDisk(string uri)
    {
        var waited = Stopwatch.StartNew();
        while (!File.Exists(DiskIn(root)))
        {
            if (nbdfuse.WaitForExit(TimeSpan.FromMilliseconds(5)))
                throw new BrokenVolumeException($"nbdfuse of {uri} ended with code {nbdfuse.ExitCode}");
            if (waited.Elapsed > Waiting.Limit) throw new BrokenVolumeException($"nbdfuse of {uri} does not show it");
        }
    }

    void CleanUpAtExit(object? sender, EventArgs e) => Dispose();
}
