using System.Runtime.InteropServices;

namespace Ashlar.Storage;

/// <summary>
/// Error numbers of Linux that are told apart, here and by the simulated and the failing disk. On other systems the doors to the disk give
/// these numbers, too.
/// </summary>
public static class Errno
{
    /// <summary>EPERM: operation not permitted.</summary>
    public const int NotPermitted = 1;

    /// <summary>ENOENT: no such file or directory.</summary>
    public const int NoEntry = 2;

    /// <summary>EINTR: interrupted by a signal.</summary>
    public const int Interrupted = 4;

    /// <summary>EIO: input/output error.</summary>
    public const int InputOutput = 5;

    /// <summary>EBADF: the descriptor is not open for this.</summary>
    public const int BadDescriptor = 9;

    /// <summary>EAGAIN, EWOULDBLOCK: the call would have to wait.</summary>
    public const int WouldBlock = 11;

    /// <summary>EACCES: permission denied.</summary>
    public const int AccessDenied = 13;

    /// <summary>EEXIST: the path exists already.</summary>
    public const int Exists = 17;

    /// <summary>EXDEV: source and target are on different file systems.</summary>
    public const int CrossDevice = 18;

    /// <summary>ENOTDIR: a part of the path is not a directory.</summary>
    public const int NotDirectory = 20;

    /// <summary>EISDIR: the path is a directory.</summary>
    public const int IsDirectory = 21;

    /// <summary>EINVAL: invalid argument.</summary>
    public const int Invalid = 22;

    /// <summary>ENFILE: the system may have no more files open.</summary>
    public const int TooManyFilesInSystem = 23;

    /// <summary>EMFILE: the process may have no more files open.</summary>
    public const int TooManyFiles = 24;

    /// <summary>EFBIG: the file would be larger than the process, or the file system, may make it.</summary>
    public const int FileTooLarge = 27;

    /// <summary>ENOSPC: no space left on the device.</summary>
    public const int NoSpace = 28;

    /// <summary>EROFS: the file system is read-only.</summary>
    public const int ReadOnlyFileSystem = 30;

    /// <summary>ENOSYS: the kernel has no such call.</summary>
    public const int NoSuchCall = 38;

    /// <summary>ENOTEMPTY: the directory is not empty.</summary>
    public const int NotEmpty = 39;

    /// <summary>EOPNOTSUPP: the file system does not offer this.</summary>
    public const int NotSupported = 95;

    /// <summary>EDQUOT: the quota is used up.</summary>
    public const int QuotaExceeded = 122;

    /// <summary>How callers should treat an error number.</summary>
    public static StorageErrorKind KindOf(int errno) => errno switch
    {
        NoSpace or QuotaExceeded => StorageErrorKind.NoSpace,
        NoEntry => StorageErrorKind.NotFound,
        Exists or NotEmpty => StorageErrorKind.AlreadyExists,
        AccessDenied or NotPermitted or ReadOnlyFileSystem => StorageErrorKind.AccessDenied,
        NotSupported or NoSuchCall => StorageErrorKind.NotSupported,
        _ => StorageErrorKind.InputOutput,
    };

    /// <summary>The words for an error number: the operating system's, where its numbers are these.</summary>
    public static string Describe(int errno) => OperatingSystem.IsLinux() ? Marshal.GetPInvokeErrorMessage(errno) : Words(errno);

    static string Words(int errno) => errno switch
    {
        NotPermitted => "Operation not permitted",
        NoEntry => "No such file or directory",
        Interrupted => "Interrupted system call",
        InputOutput => "Input/output error",
        BadDescriptor => "Bad file descriptor",
        WouldBlock => "Resource temporarily unavailable",
        AccessDenied => "Permission denied",
        Exists => "File exists",
        CrossDevice => "Invalid cross-device link",
        NotDirectory => "Not a directory",
        IsDirectory => "Is a directory",
        Invalid => "Invalid argument",
        TooManyFilesInSystem => "Too many open files in system",
        TooManyFiles => "Too many open files",
        FileTooLarge => "File too large",
        NoSpace => "No space left on device",
        ReadOnlyFileSystem => "Read-only file system",
        NoSuchCall => "Function not implemented",
        NotEmpty => "Directory not empty",
        NotSupported => "Operation not supported",
        QuotaExceeded => "Disk quota exceeded",
        _ => "Unknown error",
    };
}
