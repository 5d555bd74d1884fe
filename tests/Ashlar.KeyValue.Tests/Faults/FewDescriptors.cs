using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>A disk of which no more than so many files may be open at a time, as a process is allowed by ulimit.</summary>
sealed class FewDescriptors(SimulatedFileSystem inner, int most) : IFileSystem
{
    int open;

    /// <summary>How often one more was refused.</summary>
    public int Refused { get; private set; }

    public IFile Open(string path, FileOpenMode mode)
    {
        if (open == most)
        {
            Refused++;
            throw StorageException.FromErrno("open", path, Errno.TooManyFiles);
        }

        var file = inner.Open(path, mode);
        open++;
        return new CountedFile(this, file);
    }

    public long GetFreeSpaceBytes(string path) => inner.GetFreeSpaceBytes(path);

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

    sealed class CountedFile(FewDescriptors owner, IFile file) : IFile
    {
        bool isClosed;

        public string Path => file.Path;

        public long LengthBytes => file.LengthBytes;

        public long AllocatedBytes => file.AllocatedBytes;

        public int Read(Span<byte> destination, long offsetBytes) => file.Read(destination, offsetBytes);

        public bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead) =>
            file.TryReadCached(destination, offsetBytes, out bytesRead);

        public void Prefetch(long offsetBytes, long lengthBytes) => file.Prefetch(offsetBytes, lengthBytes);

        public void Write(ReadOnlySpan<byte> source, long offsetBytes) => file.Write(source, offsetBytes);

        public void SetLength(long lengthBytes) => file.SetLength(lengthBytes);

        public void Allocate(long offsetBytes, long lengthBytes) => file.Allocate(offsetBytes, lengthBytes);

        public void PunchHole(long offsetBytes, long lengthBytes) => file.PunchHole(offsetBytes, lengthBytes);

        public void Sync() => file.Sync();

        public void Dispose()
        {
            file.Dispose();
            if (!isClosed) owner.open--;
            isClosed = true;
        }
    }
}
