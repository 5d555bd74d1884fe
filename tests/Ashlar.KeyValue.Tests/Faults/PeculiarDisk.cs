using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>A disk of which not all that is free can be used, or not all that can be used counts as free.</summary>
sealed class PeculiarDisk(SimulatedFileSystem inner) : IFileSystem
{
    /// <summary>No file is created where less is free, as on XFS.</summary>
    public long NeededForFileBytes { get; init; }

    /// <summary>Of what is free, that is not counted, as what ext4 keeps for root.</summary>
    public long HiddenBytes { get; init; }

    public IFile Open(string path, FileOpenMode mode)
    {
        var creates = mode == FileOpenMode.CreateNew || (mode == FileOpenMode.OpenOrCreate && !inner.FileExists(path));
        if (creates && inner.GetFreeSpaceBytes("/") < NeededForFileBytes)
            throw new StorageException("open", path, StorageErrorKind.NoSpace, 28, "No space left on device");
        return inner.Open(path, mode);
    }

    public long GetFreeSpaceBytes(string path) => Math.Max(0, inner.GetFreeSpaceBytes(path) - HiddenBytes);

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
}
