namespace Ashlar.Storage;

/// <summary>Another process, or another part of this one, holds the lock on a directory.</summary>
public sealed class LockedException : AshlarException
{
    /// <summary>Creates the error.</summary>
    /// <param name="path">The lock file.</param>
    /// <param name="ownerProcessId">Process that holds the lock, or null when it could not be read.</param>
    public LockedException(string path, int? ownerProcessId)
        : this(path, ownerProcessId, "in use")
    {
    }

    /// <summary>Creates the error.</summary>
    /// <param name="path">The lock file.</param>
    /// <param name="ownerProcessId">Process that holds the lock, or null when it could not be read.</param>
    /// <param name="use">What the lock is held for, as the message says it: "in use".</param>
    public LockedException(string path, int? ownerProcessId, string use)
        : base(ownerProcessId switch
        {
            // Who shares a lock does not write who it is.
            null => $"{path}: {use}, by a process that is not known, perhaps this one",
            { } id when id == Environment.ProcessId => $"{path}: {use} by this process, {id}",
            { } id => $"{path}: {use} by process {id}",
        })
    {
        Path = path;
        OwnerProcessId = ownerProcessId;
    }

    /// <summary>The lock file.</summary>
    public string Path { get; }

    /// <summary>Process that holds the lock, or null when it could not be read.</summary>
    public int? OwnerProcessId { get; }
}
