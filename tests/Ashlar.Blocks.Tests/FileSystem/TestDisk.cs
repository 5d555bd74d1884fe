using Ashlar.Blocks.Devices;
using Ashlar.Blocks.FileSystem;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.FileSystem;

/// <summary>
/// A small file system on a device: its areas are full after some ten commits, its units hold two pages, its memory sixteen.
/// </summary>
static class TestDisk
{
    public const int UnitBytes = 8192;
    public const long OffsetBytes = 4096;
    public const long RegionBytes = 320 << 10;
    public const string DevicePath = "/device";

    public static BlockFileSystemOptions Options(CommitRules? rules = null) => new()
    {
        UnitBytes = UnitBytes,
        AreaBytes = 64 << 10,
        MaxDirtyBytes = 1,
        CacheBytes = 1,
        Entropy = new SeededEntropy(5),
        Rules = rules ?? new(),
    };

    public static MemoryDevice Format(long regionBytes = RegionBytes, int blockSizeBytes = 512, BlockFileSystemOptions? options = null)
    {
        var device = new MemoryDevice((OffsetBytes + regionBytes) / blockSizeBytes, blockSizeBytes);
        BlockFileSystem.Format(device, [new(OffsetBytes, regionBytes)], options ?? Options());
        return device;
    }

    public static BlockFileSystem Open(IBlockDevice device, BlockFileSystemOptions? options = null) =>
        BlockFileSystem.Open(device, OffsetBytes, options ?? Options());

    /// <summary>A device in a file, formatted.</summary>
    public static FileDevice CreateFile(IFileSystem below)
    {
        var device = FileDevice.Create(below, DevicePath, OffsetBytes + RegionBytes);
        BlockFileSystem.Format(device, [new(OffsetBytes, RegionBytes)], Options());
        return device;
    }

    public static FileDevice OpenFile(IFileSystem below) => FileDevice.Open(below, DevicePath);
}
