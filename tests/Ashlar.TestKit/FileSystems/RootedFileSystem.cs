using Ashlar.Storage;

namespace Ashlar.TestKit;

/// <summary>A directory of another file system as a disk of its own: its root is that directory, and errors name paths below it.</summary>
public sealed class RootedFileSystem(IFileSystem inner, string root) : IFileSystem
{
    /// <inheritdoc />
    public IFile Open(string path, FileOpenMode mode) => new RootedFile(this, path, Ask(path, at => inner.Open(at, mode)));

    /// <inheritdoc />
    public bool FileExists(string path) => Ask(path, inner.FileExists);

    /// <inheritdoc />
    public bool DirectoryExists(string path) => Ask(path, inner.DirectoryExists);

    /// <inheritdoc />
    public IReadOnlyList<string> List(string directory) => Ask(directory, inner.List);

    /// <inheritdoc />
    public void CreateDirectory(string path) => Do(path, inner.CreateDirectory);

    /// <inheritdoc />
    public void DeleteDirectory(string path) => Do(path, inner.DeleteDirectory);

    /// <inheritdoc />
    public void Rename(string source, string target) => Do(source, at => inner.Rename(at, Inside(target)));

    /// <inheritdoc />
    public void Delete(string path) => Do(path, inner.Delete);

    /// <inheritdoc />
    public void SyncDirectory(string path) => Do(path, inner.SyncDirectory);

    /// <inheritdoc />
    public IFileLock Lock(string path) => Ask(path, inner.Lock);

    /// <inheritdoc />
    public IFileLock LockShared(string path) => Ask(path, inner.LockShared);

    /// <inheritdoc />
    public IFileLock LockExisting(string path) => Ask(path, inner.LockExisting);

    /// <inheritdoc />
    public string ResolveLinks(string path) => Ask(path, inner.ResolveLinks) is var resolved && resolved.Length > root.Length
        ? resolved[root.Length..]
        : "/";

    /// <inheritdoc />
    public long GetFreeSpaceBytes(string path) => Ask(path, inner.GetFreeSpaceBytes);

    /// <inheritdoc />
    public string GetVolumeIdentity(string path) => Ask(path, inner.GetVolumeIdentity);

    /// <inheritdoc />
    public string GetFileIdentity(string path) => Ask(path, inner.GetFileIdentity);

    string Inside(string path) => path.StartsWith('/') ? root + path.TrimEnd('/') : path;

    void Do(string path, Action<string> call) => Ask(path, at =>
    {
        call(at);
        return true;
    });

    T Ask<T>(string path, Func<string, T> call)
    {
        try
        {
            return call(Inside(path));
        }
        catch (StorageException failure)
        {
            throw Outside(failure);
        }
        catch (LockedException locked)
        {
            throw new LockedException(path, locked.OwnerProcessId);
        }
    }

    StorageException Outside(StorageException failure)
    {
        var message = failure.Message.Replace(root, "", StringComparison.Ordinal);
        var introduction = $"{failure.Path.Replace(root, "", StringComparison.Ordinal)}: {failure.Operation} failed: ";
        return new(
            failure.Operation, failure.Path.Replace(root, "", StringComparison.Ordinal), failure.Kind, failure.Errno,
            message.StartsWith(introduction, StringComparison.Ordinal) ? message[introduction.Length..] : message);
    }

    sealed class RootedFile(RootedFileSystem disk, string path, IFile file) : IFile
    {
        public string Path => path;

        public long LengthBytes => disk.Ask(path, _ => file.LengthBytes);

        public long AllocatedBytes => disk.Ask(path, _ => file.AllocatedBytes);

        public bool IsInPlace => disk.Ask(path, _ => file.IsInPlace);

        public int Read(Span<byte> destination, long offsetBytes)
        {
            try
            {
                return file.Read(destination, offsetBytes);
            }
            catch (StorageException failure)
            {
                throw disk.Outside(failure);
            }
        }

        public bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead)
        {
            try
            {
                return file.TryReadCached(destination, offsetBytes, out bytesRead);
            }
            catch (StorageException failure)
            {
                throw disk.Outside(failure);
            }
        }

        public void Prefetch(long offsetBytes, long lengthBytes) => file.Prefetch(offsetBytes, lengthBytes);

        public void DropCached(long offsetBytes, long lengthBytes) => file.DropCached(offsetBytes, lengthBytes);

        public void Write(ReadOnlySpan<byte> source, long offsetBytes)
        {
            try
            {
                file.Write(source, offsetBytes);
            }
            catch (StorageException failure)
            {
                throw disk.Outside(failure);
            }
        }

        public void SetLength(long lengthBytes) => disk.Do(path, _ => file.SetLength(lengthBytes));

        public void Allocate(long offsetBytes, long lengthBytes) => disk.Do(path, _ => file.Allocate(offsetBytes, lengthBytes));

        public void PunchHole(long offsetBytes, long lengthBytes) => disk.Do(path, _ => file.PunchHole(offsetBytes, lengthBytes));

        public void ZeroRange(long offsetBytes, long lengthBytes) => disk.Do(path, _ => file.ZeroRange(offsetBytes, lengthBytes));

        public void StartWriteBack(long offsetBytes, long lengthBytes) => disk.Do(path, _ => file.StartWriteBack(offsetBytes, lengthBytes));

        public void Sync() => disk.Do(path, _ => file.Sync());

        public void Dispose() => file.Dispose();
    }
}
