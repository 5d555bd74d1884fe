namespace Ashlar.Storage;

/// <summary>What the operating system refused, as far as callers treat it differently.</summary>
public enum StorageErrorKind
{
    /// <summary>An I/O error of the medium or any error without a kind of its own.</summary>
    InputOutput = 0,

    /// <summary>No space or quota left (ENOSPC, EDQUOT).</summary>
    NoSpace,

    /// <summary>The path does not exist (ENOENT).</summary>
    NotFound,

    /// <summary>The path exists already (EEXIST, ENOTEMPTY).</summary>
    AlreadyExists,

    /// <summary>Permission denied or a read-only file system (EACCES, EPERM, EROFS).</summary>
    AccessDenied,

    /// <summary>The file system does not offer the operation (EOPNOTSUPP, ENOSYS), such as punching holes.</summary>
    NotSupported,
}

/// <summary>A call on the disk failed.</summary>
public class StorageException : AshlarException
{
    /// <summary>Creates the error.</summary>
    /// <param name="operation">The call, as the operating system names it: "pwrite", "fdatasync".</param>
    /// <param name="path">The file or directory.</param>
    /// <param name="kind">How callers should treat it.</param>
    /// <param name="errno">The operating system's number, 0 when it has none.</param>
    /// <param name="detail">More facts for the message: offset, length, the errno's text.</param>
    public StorageException(string operation, string path, StorageErrorKind kind, int errno, string detail)
        : base($"{path}: {operation} failed: {detail}")
    {
        Operation = operation;
        Path = path;
        Kind = kind;
        Errno = errno;
    }

    /// <summary>The error that an error number of the operating system stands for.</summary>
    /// <param name="operation">The call, as the operating system names it.</param>
    /// <param name="path">The file or directory.</param>
    /// <param name="errno">The error number, which decides the kind.</param>
    /// <param name="place">More facts, such as offset and length; may be empty.</param>
    public static StorageException FromErrno(string operation, string path, int errno, string place = "") => new(
        operation, path, Storage.Errno.KindOf(errno), errno,
        place.Length == 0
            ? $"{Storage.Errno.Describe(errno)} (errno {errno})"
            : $"{place}: {Storage.Errno.Describe(errno)} (errno {errno})");

    /// <summary>The call that failed.</summary>
    public string Operation { get; }

    /// <summary>The file or directory it was made on.</summary>
    public string Path { get; }

    /// <summary>How callers should treat the failure.</summary>
    public StorageErrorKind Kind { get; }

    /// <summary>The operating system's error number, 0 when it has none.</summary>
    public int Errno { get; }
}
