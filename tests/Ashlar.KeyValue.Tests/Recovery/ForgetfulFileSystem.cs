using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// A disk under a kernel that marks pages clean when a sync of them fails, as Linux does: they can still be read, later syncs succeed
/// and skip them, and a power cut takes them. Only writing them again helps.
/// </summary>
sealed class ForgetfulFileSystem : IFileSystem
{
    readonly SimulatedFileSystem inner = new(isRecording: false);
    readonly List<Change> unsynced = [];

    public bool FailsSyncs { get; set; }

    /// <summary>Undoes what never reached the disk, the newest first.</summary>
    public void LosePower()
    {
        for (var i = unsynced.Count - 1; i >= 0; i--)
        {
            if (!inner.FileExists(unsynced[i].Path)) continue;
            using var file = inner.Open(unsynced[i].Path, FileOpenMode.Existing);
            file.Write(unsynced[i].Before, unsynced[i].Offset);
        }

        unsynced.Clear();
    }

    public IFile Open(string path, FileOpenMode mode) => new File(this, inner.Open(path, mode));

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

    sealed record Change(string Path, long Offset, byte[] Before)
    {
        public bool IsForgotten { get; set; }

        public long End => Offset + Before.Length;
    }

    sealed class File(ForgetfulFileSystem disk, IFile inner) : IFile
    {
        public string Path => inner.Path;

        public long LengthBytes => inner.LengthBytes;

        public long AllocatedBytes => inner.AllocatedBytes;

        public int Read(Span<byte> destination, long offsetBytes) => inner.Read(destination, offsetBytes);

        public bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead) =>
            inner.TryReadCached(destination, offsetBytes, out bytesRead);

        public void Prefetch(long offsetBytes, long lengthBytes) => inner.Prefetch(offsetBytes, lengthBytes);

        public void Write(ReadOnlySpan<byte> source, long offsetBytes)
        {
            var before = new byte[source.Length];
            inner.Read(before, offsetBytes); // What lies behind the end reads as zeros after the cut.
            var (start, end) = (offsetBytes, offsetBytes + source.Length);
            foreach (var change in disk.unsynced.Where(change => change.Path == Path && change.Offset >= start && change.End <= end))
                change.IsForgotten = false;
            disk.unsynced.Add(new Change(Path, offsetBytes, before));
            inner.Write(source, offsetBytes);
        }

        public void SetLength(long lengthBytes) => inner.SetLength(lengthBytes);

        public void Allocate(long offsetBytes, long lengthBytes) => inner.Allocate(offsetBytes, lengthBytes);

        public void PunchHole(long offsetBytes, long lengthBytes) => inner.PunchHole(offsetBytes, lengthBytes);

        public void Sync()
        {
            if (!disk.FailsSyncs)
            {
                disk.unsynced.RemoveAll(change => change.Path == Path && !change.IsForgotten);
                return;
            }

            foreach (var change in disk.unsynced.Where(change => change.Path == Path)) change.IsForgotten = true;
            throw StorageException.FromErrno("fdatasync", Path, Errno.InputOutput, "planted fault");
        }

        public void Dispose() => inner.Dispose();
    }
}
