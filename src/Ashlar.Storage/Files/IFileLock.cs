namespace Ashlar.Storage;

/// <summary>A lock that is held on a lock file until it is disposed.</summary>
public interface IFileLock : IDisposable
{
    /// <summary>
    /// Whether the path that was locked still leads to the locked file. It does not once the file was deleted, or a directory above it
    /// moved or replaced: others may then hold the lock of what is there instead. Nor does it once the lock was let go.
    /// </summary>
    /// <exception cref="StorageException">That cannot be found out.</exception>
    bool IsInPlace { get; }
}
