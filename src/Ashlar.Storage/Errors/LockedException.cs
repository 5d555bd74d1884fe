namespace Ashlar.Storage;

/// <summary>Another process, or another part of this one, holds the lock on a directory.</summary>
public sealed class LockedException : AshlarException
{
    /// <summary>Creates the error.</summary>
    /// <param name="path">The lock file.</param>
    /// <param name="ownerProcessId">Process that holds the lock, or null when it could not be read.</param>
    public LockedException(string path, int? ownerProcessId)
        : base(ownerProcessId is { } id
            ? $"{path}: in use by process {id}"
            : $"{path}: in use by another process")
    {
        Path = path;
        OwnerProcessId = ownerProcessId;
    }

    /// <summary>The lock file.</summary>
    public string Path { get; }

    /// <summary>Process that holds the lock, or null when it could not be read.</summary>
    public int? OwnerProcessId { get; }
}
