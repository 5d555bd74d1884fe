using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>Lets a test do something at the moment a sync has done its work and its caller has not gone on.</summary>
sealed class InterruptingFileSystem(IFileSystem inner) : IFileSystem
{
    /// <summary>Run once, after the next sync of a file.</summary>
    public Action? AfterSync { get; set; }

    public IFile Open(string path, FileOpenMode mode) => new InterruptingFile(this, inner.Open(path, mode));

    public bool FileExists(string path) => inner.FileExists(path);

    public bool DirectoryExists(string path) => inner.DirectoryExists(path);

    public IReadOnlyList<string> List(string directory) => inner.List(directory);

    public void CreateDirectory(string path) => inner.CreateDirectory(path);

    public void DeleteDirectory(string path) => inner.DeleteDirectory(path);

    public void Rename(string source, string target) => inner.Rename(source, target);

    public void Delete(string path) => inner.Delete(path);

    public void SyncDirectory(string path) => inner.SyncDirectory(path);

    public IFileLock Lock(string path) => inner.Lock(path);

    public IFileLock LockShared(string path) => inner.LockShared(path);

    public long GetFreeSpaceBytes(string path) => inner.GetFreeSpaceBytes(path);

    sealed class InterruptingFile(InterruptingFileSystem owner, IFile inner) : IFile
    {
        public string Path => inner.Path;

        public long LengthBytes => inner.LengthBytes;

        public long AllocatedBytes => inner.AllocatedBytes;

        public int Read(Span<byte> destination, long offsetBytes) => inner.Read(destination, offsetBytes);

        public bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead) =>
            inner.TryReadCached(destination, offsetBytes, out bytesRead);

        public void Prefetch(long offsetBytes, long lengthBytes) => inner.Prefetch(offsetBytes, lengthBytes);

        public void Write(ReadOnlySpan<byte> source, long offsetBytes) => inner.Write(source, offsetBytes);

        public void SetLength(long lengthBytes) => inner.SetLength(lengthBytes);

        public void Allocate(long offsetBytes, long lengthBytes) => inner.Allocate(offsetBytes, lengthBytes);

        public void PunchHole(long offsetBytes, long lengthBytes) => inner.PunchHole(offsetBytes, lengthBytes);

        public void Sync()
        {
            inner.Sync();
            var action = owner.AfterSync;
            owner.AfterSync = null;
            action?.Invoke();
        }

        public void Dispose() => inner.Dispose();
    }
}
