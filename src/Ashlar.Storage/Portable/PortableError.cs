using System.Runtime.InteropServices;

namespace Ashlar.Storage;

/// <summary>Failures of .NET's file calls, and of the operating systems that it hides, as <see cref="StorageException"/>.</summary>
static class PortableError
{
    const uint SourceMask = 0xFFFF0000, FromWin32 = 0x80070000;
    const int CodeMask = 0xFFFF;
    const int NameTooLong = 36, Busy = 16, TooManyLinks = 40; // ENAMETOOLONG, EBUSY, ELOOP.

    /// <summary>Whether it is the disk that refused, and not a caller that made a mistake.</summary>
    public static bool IsOfTheDisk(Exception failure) =>
        failure is IOException or UnauthorizedAccessException or NotSupportedException or OperationCanceledException
            // EFBIG; arguments were checked before.
            or ArgumentOutOfRangeException;

    /// <summary>What a call of .NET threw, for the range that was asked for.</summary>
    public static StorageException Of(string operation, string path, Exception failure, long offsetBytes, long lengthBytes) =>
        Of(operation, path, failure, $"{lengthBytes} bytes at {offsetBytes}: ");

    /// <summary>What a call of .NET threw.</summary>
    public static StorageException Of(string operation, string path, Exception failure, string place = "")
    {
        var errno = failure switch
        {
            FileNotFoundException or DirectoryNotFoundException => Errno.NoEntry,
            PathTooLongException => NameTooLong,
            ArgumentOutOfRangeException => Errno.FileTooLarge,
            NotSupportedException => Errno.NotSupported,
            UnauthorizedAccessException { InnerException: IOException cause } => OfResult(cause.HResult),
            UnauthorizedAccessException => Errno.AccessDenied,
            IOException => OfResult(failure.HResult),
            _ => Errno.InputOutput,
        };
        var words = failure.InnerException is IOException inner ? inner.Message : failure.Message;
        return New(operation, path, errno, $"{place}{words}", failure.HResult);
    }

    /// <summary>The last error of a call of a Unix.</summary>
    public static StorageException OfUnix(string operation, string path, string place = "")
    {
        var number = Marshal.GetLastPInvokeError();
        return New(operation, path, FromUnix(number), place + Marshal.GetPInvokeErrorMessage(number), number);
    }

    /// <summary>The last error of a call of Windows.</summary>
    public static StorageException OfWindows(string operation, string path, string place = "")
    {
        var number = Marshal.GetLastPInvokeError();
        return New(operation, path, FromWindows(number), place + Marshal.GetPInvokeErrorMessage(number), number);
    }

    /// <summary>The number of Linux for that of another Unix: up to 34 they are one, but for two.</summary>
    public static int FromUnix(int number) => OperatingSystem.IsMacOS() ? FromApple(number) : number;

    /// <summary>The number of Linux for that of macOS.</summary>
    public static int FromApple(int number) => number switch
    {
        11 => 35, // EDEADLK
        35 => Errno.WouldBlock,
        45 or 102 => Errno.NotSupported, // ENOTSUP, EOPNOTSUPP
        62 => TooManyLinks,
        63 => NameTooLong,
        66 => Errno.NotEmpty,
        69 => Errno.QuotaExceeded,
        78 => Errno.NoSuchCall,
        <= 34 => number,
        _ => Errno.InputOutput,
    };

    /// <summary>The number of Linux for an error code of Windows.</summary>
    public static int FromWindows(int code) => code switch
    {
        1 or 50 => Errno.NotSupported, // INVALID_FUNCTION, NOT_SUPPORTED
        2 or 3 or 15 or 21 => Errno.NoEntry, // FILE, PATH, DRIVE_NOT_FOUND, NOT_READY
        4 => Errno.TooManyFiles,
        5 or 32 => Errno.AccessDenied, // ACCESS_DENIED, SHARING_VIOLATION: somebody has it open in a way that excludes this.
        6 => Errno.BadDescriptor,
        17 => Errno.CrossDevice, // NOT_SAME_DEVICE
        19 => Errno.ReadOnlyFileSystem, // WRITE_PROTECT
        33 => Errno.WouldBlock, // LOCK_VIOLATION
        39 or 112 => Errno.NoSpace, // HANDLE_DISK_FULL, DISK_FULL
        80 or 183 => Errno.Exists, // FILE_EXISTS, ALREADY_EXISTS
        87 or 123 or 161 => Errno.Invalid, // INVALID_PARAMETER, INVALID_NAME, BAD_PATHNAME
        145 => Errno.NotEmpty,
        170 => Busy,
        206 => NameTooLong,
        223 => Errno.FileTooLarge,
        267 => Errno.NotDirectory,
        1295 or 1816 => Errno.QuotaExceeded, // DISK_QUOTA_EXCEEDED, NOT_ENOUGH_QUOTA
        _ => Errno.InputOutput,
    };

    // The number of the system itself is what its documentation is searched by.
    static StorageException New(string operation, string path, int errno, string words, int number) => new(
        operation, path, Errno.KindOf(errno), errno,
        (uint)number <= ushort.MaxValue ? $"{words} ({(OperatingSystem.IsWindows() ? "error" : "errno")} {number})"
            : ((uint)number & SourceMask) == FromWin32 ? $"{words} (error {number & CodeMask})"
            : words);

    // .NET keeps the error number of a Unix as it is, and that of Windows in a code that says where it comes from.
    static int OfResult(int result) =>
        ((uint)result & SourceMask) == FromWin32 ? FromWindows(result & CodeMask)
        : result is > 0 and <= CodeMask ? FromUnix(result)
        : Errno.InputOutput;
}
