using Ashlar.Storage;

namespace Ashlar.Simulation;

/// <summary>Passes everything on to another file system: for those that change one thing only.</summary>
public abstract class PassingFileSystem(IFileSystem inner) : IFileSystem
{
    /// <inheritdoc />
    public virtual IFile Open(string path, FileOpenMode mode) => inner.Open(path, mode);

    /// <inheritdoc />
    public bool FileExists(string path) => inner.FileExists(path);

    /// <inheritdoc />
    public bool DirectoryExists(string path) => inner.DirectoryExists(path);

    /// <inheritdoc />
    public virtual IReadOnlyList<string> List(string directory) => inner.List(directory);

    /// <inheritdoc />
    public void CreateDirectory(string path) => inner.CreateDirectory(path);

    /// <inheritdoc />
    public void DeleteDirectory(string path) => inner.DeleteDirectory(path);

    /// <inheritdoc />
    public virtual void Rename(string source, string target) => inner.Rename(source, target);

    /// <inheritdoc />
    public virtual void Delete(string path) => inner.Delete(path);

    /// <inheritdoc />
    public virtual void SyncDirectory(string path) => inner.SyncDirectory(path);

    /// <inheritdoc />
    public IFileLock Lock(string path) => inner.Lock(path);

    /// <inheritdoc />
    public IFileLock LockExisting(string path) => inner.LockExisting(path);

    /// <inheritdoc />
    public virtual string GetFileIdentity(string path) => inner.GetFileIdentity(path);

    /// <inheritdoc />
    public IFileLock LockShared(string path) => inner.LockShared(path);

    /// <inheritdoc />
    public string ResolveLinks(string path) => inner.ResolveLinks(path);

    /// <inheritdoc />
    public virtual long GetFreeSpaceBytes(string path) => inner.GetFreeSpaceBytes(path);

    /// <inheritdoc />
    public virtual string GetVolumeIdentity(string path) => inner.GetVolumeIdentity(path);
}
