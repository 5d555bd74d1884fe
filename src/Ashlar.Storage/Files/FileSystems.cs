namespace Ashlar.Storage;

/// <summary>The file systems that this machine offers.</summary>
public static class FileSystems
{
    /// <summary>The real disk.</summary>
    /// <exception cref="PlatformNotSupportedException">The operating system has no file system layer here yet.</exception>
    public static IFileSystem Real =>
        OperatingSystem.IsLinux() && Environment.Is64BitProcess
            ? PosixFileSystem.Instance
            : throw new PlatformNotSupportedException("Ashlar stores data on 64-bit Linux only, so far.");
}
