using Ashlar.Storage;

namespace Ashlar.KeyValue.Files;

/// <summary>
/// The disk as an open store reaches it: by path only as long as the path leads to the directory that it has locked. Once it does not,
/// another store may be there, and nothing is opened, created, renamed or deleted any more.
/// </summary>
/// <remarks>
/// The check is by the lock file, which is never replaced: it is gone with a directory that was moved, it is another one in a directory
/// that took its place, and once it was deleted nothing keeps others from opening the store. Between the check and the call a few
/// microseconds are left; who replaces a directory and opens another store there takes longer.
/// </remarks>
sealed class HeldDirectory(IFileSystem inner, string directory, string lockPath, IFileLock held) : IFileSystem
{
    StoreDisplacedException? displaced;

    /// <summary>Called, each time, where it is found that the path leads elsewhere.</summary>
    public Action<Exception>? Displaced { get; set; }

    /// <summary>Makes sure that the path still leads to the store.</summary>
    /// <exception cref="StoreDisplacedException">It does not, or did not once: what was put back may have been changed.</exception>
    public void RequireInPlace()
    {
        if (Volatile.Read(ref displaced) is not { } known)
        {
            if (held.IsInPlace) return;
            var found = new StoreDisplacedException(directory, lockPath);
            known = Interlocked.CompareExchange(ref displaced, found, null) ?? found;
        }

        Displaced?.Invoke(known);
        throw known;
    }

    /// <summary>Closes files that can do without being open; false if there are none.</summary>
    public Func<bool>? CloseSome { get; set; }

    public IFile Open(string path, FileOpenMode mode)
    {
        while (true)
        {
            try
            {
                return Checked.Open(path, mode);
            }
            catch (StorageException full) when (full.Errno is Errno.TooManyFiles or Errno.TooManyFilesInSystem
                && CloseSome?.Invoke() == true)
            {
                // Again, with those.
            }
        }
    }

    public bool FileExists(string path) => inner.FileExists(path);

    public bool DirectoryExists(string path) => inner.DirectoryExists(path);

    public IReadOnlyList<string> List(string directory) => Checked.List(directory);

    public void CreateDirectory(string path) => Checked.CreateDirectory(path);

    public void DeleteDirectory(string path) => Checked.DeleteDirectory(path);

    public void Rename(string source, string target) => Checked.Rename(source, target);

    public void Delete(string path) => Checked.Delete(path);

    public void SyncDirectory(string path) => Checked.SyncDirectory(path);

    public IFileLock Lock(string path) => Checked.Lock(path);

    public IFileLock LockShared(string path) => Checked.LockShared(path);

    public IFileLock LockExisting(string path) => Checked.LockExisting(path);

    public string GetFileIdentity(string path) => inner.GetFileIdentity(path);

    public string ResolveLinks(string path) => inner.ResolveLinks(path);

    public long GetFreeSpaceBytes(string path) => inner.GetFreeSpaceBytes(path);

    IFileSystem Checked
    {
        get
        {
            RequireInPlace();
            return inner;
        }
    }
}
