using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// The path of an open store does not lead to its files any more: its directory was moved or replaced, or its lock file was deleted.
/// Another store may be there, or another process may have this one open. The store is poisoned and touches nothing by that path.
/// </summary>
public sealed class StoreDisplacedException : StorageException
{
    /// <summary>Creates the error.</summary>
    /// <param name="directory">Directory of the store, as it was opened.</param>
    /// <param name="lockPath">Its lock file.</param>
    public StoreDisplacedException(string directory, string lockPath)
        : base(
            "open", directory, StorageErrorKind.InputOutput, 0,
            $"the store was opened here, but {lockPath} is not the file that it has locked: the directory was moved or replaced, "
            + "or the file was deleted")
    {
    }
}
