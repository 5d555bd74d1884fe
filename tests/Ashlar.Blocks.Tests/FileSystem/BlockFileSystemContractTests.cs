using Ashlar.Blocks.FileSystem;
using Ashlar.Storage;
using Ashlar.Storage.Tests.Files;

namespace Ashlar.Blocks.Tests.FileSystem;

/// <summary>A file system on blocks behaves like any other.</summary>
public sealed class BlockFileSystemContractTests : FileSystemContract, IDisposable
{
    readonly BlockFileSystem disk;

    public BlockFileSystemContractTests()
    {
        disk = TestDisk.Open(TestDisk.Format(8 << 20));
        disk.CreateDirectory("/root");
    }

    protected override IFileSystem Disk => disk;

    protected override string Root => "/root";

    public void Dispose()
    {
        disk.Dispose();
        Assert.Throws<ObjectDisposedException>(() => disk.List("/"));
    }
}
