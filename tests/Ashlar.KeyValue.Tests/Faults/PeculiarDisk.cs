using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>A disk of which not all that is free can be used, or not all that can be used counts as free.</summary>
sealed class PeculiarDisk(IFileSystem inner) : PassingFileSystem(inner)
{
    /// <summary>No file is created where less is free, as on XFS.</summary>
    public long NeededForFileBytes { get; init; }

    /// <summary>Of what is free, that is not counted, as what ext4 keeps for root.</summary>
    public long HiddenBytes { get; init; }

    public override IFile Open(string path, FileOpenMode mode)
    {
        var creates = mode == FileOpenMode.CreateNew || (mode == FileOpenMode.OpenOrCreate && !FileExists(path));
        if (creates && base.GetFreeSpaceBytes("/") < NeededForFileBytes)
            throw new StorageException("open", path, StorageErrorKind.NoSpace, 28, "No space left on device");
        return base.Open(path, mode);
    }

    public override long GetFreeSpaceBytes(string path) => Math.Max(0, base.GetFreeSpaceBytes(path) - HiddenBytes);
}
