using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>
/// The disk as one process sees it. When the process is killed its locks are gone and whatever of it still runs can do no more;
/// what it wrote stays in the page cache of the disk below.
/// </summary>
sealed class MortalFileSystem(IFileSystem disk) : IFileSystem
{
    readonly List<IDisposable> locks = [];
    volatile bool isDead;

    /// <summary>Runs before each sync of a file.</summary>
    public Action<string> BeforeSync { get; set; } = _ => { };

    /// <summary>Runs before each write to a file.</summary>
    public Action<string> BeforeWrite { get; set; } = _ => { };

    /// <summary>How many writes it lives for.</summary>
    public int WritesLeft { get; set; } = int.MaxValue;

    public void Kill()
    {
        isDead = true;
        foreach (var held in locks) held.Dispose();
    }

    public IFile Open(string path, FileOpenMode mode) => new MortalFile(this, Living().Open(path, mode));

    public bool FileExists(string path) => Living().FileExists(path);

    public bool DirectoryExists(string path) => Living().DirectoryExists(path);

    public IReadOnlyList<string> List(string directory) => Living().List(directory);

    public void CreateDirectory(string path) => Living().CreateDirectory(path);

    public void DeleteDirectory(string path) => Living().DeleteDirectory(path);

    public void Rename(string source, string target) => Living().Rename(source, target);

    public void Delete(string path) => Living().Delete(path);

    public void SyncDirectory(string path) => Living().SyncDirectory(path);

    public IFileLock Lock(string path) => Keep(Living().Lock(path));

    public IFileLock LockExisting(string path) => Keep(Living().LockExisting(path));

    public IFileLock LockShared(string path) => Keep(Living().LockShared(path));

    public long GetFreeSpaceBytes(string path) => Living().GetFreeSpaceBytes(path);

    IFileLock Keep(IFileLock held)
    {
        locks.Add(held);
        return held;
    }

    IFileSystem Living() =>
        isDead ? throw new StorageException("any", "/", StorageErrorKind.InputOutput, 0, "the process was killed") : disk;

    sealed class MortalFile(MortalFileSystem owner, IFile file) : IFile
    {
        public string Path => file.Path;

        public long LengthBytes => Living().LengthBytes;

        public long AllocatedBytes => Living().AllocatedBytes;

        public int Read(Span<byte> destination, long offsetBytes) => Living().Read(destination, offsetBytes);

        public bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead) =>
            Living().TryReadCached(destination, offsetBytes, out bytesRead);

        public void Prefetch(long offsetBytes, long lengthBytes) => Living().Prefetch(offsetBytes, lengthBytes);

        public void DropCached(long offsetBytes, long lengthBytes) => Living().DropCached(offsetBytes, lengthBytes);

        public void ZeroRange(long offsetBytes, long lengthBytes) => Living().ZeroRange(offsetBytes, lengthBytes);

        public void StartWriteBack(long offsetBytes, long lengthBytes) => Living().StartWriteBack(offsetBytes, lengthBytes);

        public void Write(ReadOnlySpan<byte> source, long offsetBytes)
        {
            owner.BeforeWrite(file.Path);
            if (owner.WritesLeft-- <= 0) owner.Kill();
            Living().Write(source, offsetBytes);
        }

        public void SetLength(long lengthBytes) => Living().SetLength(lengthBytes);

        public void Allocate(long offsetBytes, long lengthBytes) => Living().Allocate(offsetBytes, lengthBytes);

        public void PunchHole(long offsetBytes, long lengthBytes) => Living().PunchHole(offsetBytes, lengthBytes);

        public void Sync()
        {
            owner.BeforeSync(file.Path);
            Living().Sync();
        }

        public void Dispose() => file.Dispose();

        IFile Living()
        {
            owner.Living();
            return file;
        }
    }
}
