using System.Collections.Concurrent;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>A disk of which not all that is free can be used, or not all that can be used counts as free.</summary>
sealed class PeculiarDisk(IFileSystem inner) : PassingFileSystem(inner)
{
    readonly ConcurrentQueue<(IFile File, long FreeAt)> deleted = new();

    /// <summary>No file is created where less is free, as on XFS.</summary>
    public long NeededForFileBytes { get; init; }

    /// <summary>Of what is free, that is not counted, as what ext4 keeps for root.</summary>
    public long HiddenBytes { get; init; }

    /// <summary>What deleted files had is free so much later, as on XFS.</summary>
    public TimeSpan FreedAfter { get; init; }

    public override void Delete(string path)
    {
        ReleaseDeleted();
        var file = base.Open(path, FileOpenMode.Existing);
        base.Delete(path);
        deleted.Enqueue((file, Environment.TickCount64 + (long)FreedAfter.TotalMilliseconds));
        ReleaseDeleted();
    }

    public override IFile Open(string path, FileOpenMode mode)
    {
        ReleaseDeleted();
        var creates = mode == FileOpenMode.CreateNew || (mode == FileOpenMode.OpenOrCreate && !FileExists(path));
        if (creates && base.GetFreeSpaceBytes("/") < NeededForFileBytes)
            throw new StorageException("open", path, StorageErrorKind.NoSpace, 28, "No space left on device");
        return base.Open(path, mode);
    }

    public override long GetFreeSpaceBytes(string path)
    {
        ReleaseDeleted();
        return Math.Max(0, base.GetFreeSpaceBytes(path) - HiddenBytes);
    }

    void ReleaseDeleted()
    {
        while (deleted.TryPeek(out var first) && first.FreeAt <= Environment.TickCount64 && deleted.TryDequeue(out var one))
            one.File.Dispose();
    }
}
