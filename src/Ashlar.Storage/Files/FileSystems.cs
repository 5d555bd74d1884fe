namespace Ashlar.Storage;

/// <summary>The file systems that this machine offers.</summary>
public static class FileSystems
{
    /// <summary>
    /// The real disk, by the best door that there is: <see cref="PosixFileSystem"/> on Linux, <see cref="Portable"/> elsewhere.
    /// </summary>
    /// <exception cref="PlatformNotSupportedException">The process is not of 64 bits, or the system none of those.</exception>
    public static IFileSystem Real =>
        OperatingSystem.IsLinux() && Environment.Is64BitProcess ? PosixFileSystem.Instance : PortableFileSystem.Instance;

    /// <summary>
    /// The real disk by calls that Linux, macOS and Windows have alike. On Linux it is there to compare: <see cref="Real"/> can do more.
    /// </summary>
    /// <exception cref="PlatformNotSupportedException">The process is not of 64 bits, or the system none of those.</exception>
    public static IFileSystem Portable => PortableFileSystem.Instance;
}
