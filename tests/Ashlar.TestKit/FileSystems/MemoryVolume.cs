namespace Ashlar.TestKit;

/// <summary>A real file system of a few megabytes that can be filled up: tmpfs, mounted in a directory of its own.</summary>
public sealed class MemoryVolume : IDisposable
{
    const string Prefix = "ashlar-memory-volume-", MountName = "mount";

    readonly string root;
    bool isMounted;

    public MemoryVolume(int mebibytes)
    {
        Mounts.RemoveLeftovers(Prefix, MountName);
        root = Mounts.CreateRoot(Prefix);
        Path = System.IO.Path.Combine(root, MountName);
        Directory.CreateDirectory(Path);
        AppDomain.CurrentDomain.ProcessExit += CleanUpAtExit;
        try
        {
            ExternalTool.Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "ashlar", Path).MustSucceed();
            isMounted = true;
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
        if (isMounted) Mounts.Unmount(Path);
        isMounted = false;
        Directory.Delete(root, recursive: true);
    }

    void CleanUpAtExit(object? sender, EventArgs e) => Dispose();

    static string? Probe()
    {
        if (!OperatingSystem.IsLinux()) return "no Linux";
        if (!Mounts.IsRoot) return "not root";
        if (ExternalTool.WhyNot("mount") is { } missing) return missing;
        try
        {
            new MemoryVolume(1).Dispose();
            return null;
        }
        catch (ToolException refused)
        {
            return refused.Message.ReplaceLineEndings(" ");
        }
    }
}
