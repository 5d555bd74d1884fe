namespace Ashlar.Storage;

/// <summary>
/// The only door to the disk. Everything above takes one as a parameter, so the same code runs on a real disk, on a
/// simulated one that loses power, and on one that fails as told.
/// </summary>
/// <remarks>
/// <para>Paths are absolute, with '/' between names. All calls are synchronous and safe for concurrent callers.</para>
/// <para>Durability: <see cref="IFile.Sync"/> makes a file's data and length durable, not its name.
/// <see cref="SyncDirectory"/> makes the names in a directory durable: files created, renamed and deleted. What was not
/// synced may survive a power cut or not, in any order, torn at sectors.</para>
/// <para>Every failure raises <see cref="StorageException"/>; none is swallowed.</para>
/// </remarks>
public interface IFileSystem
{
    /// <summary>Opens a file.</summary>
    /// <exception cref="StorageException">The file is missing, exists already, or cannot be opened.</exception>
    IFile Open(string path, FileOpenMode mode);

    /// <summary>Whether a file (not a directory) exists.</summary>
    bool FileExists(string path);

    /// <summary>Whether a directory exists.</summary>
    bool DirectoryExists(string path);

    /// <summary>Names, without the path, of the files and directories in a directory, in ordinal order.</summary>
    IReadOnlyList<string> List(string directory);

    /// <summary>Creates one directory; its parent must exist.</summary>
    void CreateDirectory(string path);

    /// <summary>Deletes an empty directory.</summary>
    void DeleteDirectory(string path);

    /// <summary>Renames a file within one file system; an existing target is replaced atomically.</summary>
    void Rename(string source, string target);

    /// <summary>Deletes a file. Open handles go on working.</summary>
    void Delete(string path);

    /// <summary>Makes the creation, renaming and deletion of names in a directory durable.</summary>
    void SyncDirectory(string path);

    /// <summary>Takes an exclusive lock by a lock file, which is created when missing and stays behind when released.</summary>
    /// <exception cref="LockedException">
    /// Another process, or another owner in this one, holds it or a shared one.
    /// </exception>
    IFileLock Lock(string path);

    /// <summary>
    /// Takes a shared lock by a lock file that exists, without writing: any number of owners may hold one, but none beside
    /// the exclusive lock.
    /// </summary>
    /// <exception cref="LockedException">Somebody holds the exclusive lock.</exception>
    /// <exception cref="StorageException">The file is missing or cannot be opened.</exception>
    IFileLock LockShared(string path);

    /// <summary>
    /// Takes an exclusive lock on a file that exists, whatever is in it, without writing: whoever locks it by another name meets it, be
    /// that a link or a mount. It keeps nobody away who locks nothing.
    /// </summary>
    /// <exception cref="LockedException">Somebody holds a lock on it, shared or exclusive.</exception>
    /// <exception cref="StorageException">The file is missing or cannot be opened.</exception>
    IFileLock LockExisting(string path);

    /// <summary>The path without symbolic links that a path, of something that exists, leads to.</summary>
    string ResolveLinks(string path) => path;

    /// <summary>Bytes that may still be written to the file system that holds <paramref name="path"/>.</summary>
    long GetFreeSpaceBytes(string path);

    /// <summary>
    /// Tells file systems apart: paths of which it is the same take their space from the same one. What it is means nothing else.
    /// </summary>
    string GetVolumeIdentity(string path) => "";

    /// <summary>
    /// Tells files apart that exist: it is the same for all names of one file, and for all nodes of one block device. What it is means
    /// nothing else, and it is another one when the file is gone.
    /// </summary>
    string GetFileIdentity(string path) => ResolveLinks(path);
}

/// <summary>How <see cref="IFileSystem.Open"/> treats a file that exists, or does not.</summary>
public enum FileOpenMode
{
    /// <summary>
    /// For reading and writing; the file must exist. A block device that is mounted, or that somebody else holds in this way, is refused.
    /// </summary>
    Existing = 0,

    /// <summary>For reading only; the file must exist.</summary>
    ReadOnly,

    /// <summary>For reading and writing; the file must not exist.</summary>
    CreateNew,

    /// <summary>For reading and writing; created when missing, otherwise opened as it is.</summary>
    OpenOrCreate,
}
