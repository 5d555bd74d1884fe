using Ashlar.Storage;

namespace Ashlar.Simulation;

/// <summary>A disk mounted read-only: whatever would change it, or opens a file for writing, fails with EROFS.</summary>
/// <param name="inner">The disk.</param>
/// <param name="root">What is read-only; by default everything.</param>
public sealed class ReadOnlyFileSystem(IFileSystem inner, string root = "/") : IFileSystem
{
    readonly string prefix = root.EndsWith('/') ? root : root + "/";

    /// <inheritdoc />
    public IFile Open(string path, FileOpenMode mode) =>
        mode == FileOpenMode.ReadOnly ? inner.Open(path, mode) : Changing(path, "open").Open(path, mode);

    /// <inheritdoc />
    public bool FileExists(string path) => inner.FileExists(path);

    /// <inheritdoc />
    public bool DirectoryExists(string path) => inner.DirectoryExists(path);

    /// <inheritdoc />
    public IReadOnlyList<string> List(string directory) => inner.List(directory);

    /// <inheritdoc />
    public void CreateDirectory(string path) => Changing(path, "mkdir").CreateDirectory(path);

    /// <inheritdoc />
    public void DeleteDirectory(string path) => Changing(path, "rmdir").DeleteDirectory(path);

    /// <inheritdoc />
    public void Rename(string source, string target)
    {
        Changing(source, "rename");
        Changing(target, "rename").Rename(source, target);
    }

    /// <inheritdoc />
    public void Delete(string path) => Changing(path, "unlink").Delete(path);

    /// <inheritdoc />
    public void SyncDirectory(string path) => Changing(path, "fsync").SyncDirectory(path);

    /// <inheritdoc />
    public IFileLock Lock(string path) => Changing(path, "open").Lock(path);

    /// <inheritdoc />
    public IFileLock LockExisting(string path) => inner.LockExisting(path);

    /// <inheritdoc />
    public IFileLock LockShared(string path) => inner.LockShared(path);

    /// <inheritdoc />
    public long GetFreeSpaceBytes(string path) => inner.GetFreeSpaceBytes(path);

    IFileSystem Changing(string path, string operation) =>
        (path + "/").StartsWith(prefix, StringComparison.Ordinal)
            ? throw StorageException.FromErrno(operation, path, Errno.ReadOnlyFileSystem)
            : inner;
}
