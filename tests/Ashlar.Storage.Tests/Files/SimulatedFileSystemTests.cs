using Ashlar.Simulation;

namespace Ashlar.Storage.Tests.Files;

public sealed class SimulatedFileSystemTests : FileSystemContract
{
    readonly SimulatedFileSystem disk = new();

    public SimulatedFileSystemTests() => disk.CreateDirectory("/root");

    protected override IFileSystem Disk => disk;

    protected override string Root => "/root";

    [Fact]
    public void A_full_disk_takes_what_fits_and_is_no_space_until_something_is_deleted()
    {
        disk.CapacityBytes = 64 << 10;
        Create("a", new string('x', 60_000));
        using var file = disk.Open(At("b"), FileOpenMode.CreateNew);

        Fails(StorageErrorKind.NoSpace, "pwrite", () => file.Write(new byte[8192], 0));
        Fails(StorageErrorKind.NoSpace, "fallocate", () => file.Allocate(0, 8192));
        Assert.Equal(4096, file.LengthBytes);
        disk.Delete(At("a"));
        file.Write(new byte[8192], 0);
        Assert.Equal((64 << 10) - 8192, disk.GetFreeSpaceBytes(Root));
    }

    [Fact]
    public void A_deleted_file_occupies_space_until_it_is_closed()
    {
        disk.CapacityBytes = 64 << 10;
        var file = disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write(new byte[64 << 10], 0);
        disk.Delete(At("file"));
        Assert.Equal(0, disk.GetFreeSpaceBytes(Root));
        file.Dispose();
        Assert.Equal(64 << 10, disk.GetFreeSpaceBytes(Root));
    }

    [Fact]
    public void What_is_not_in_the_page_cache_is_waited_for_once()
    {
        using var file = disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write(new byte[64 << 10], 0);
        var buffer = new byte[100];
        Assert.True(file.TryReadCached(buffer, 5000, out _));

        disk.PageCache.Drop();
        Assert.False(file.TryReadCached(buffer, 5000, out _));
        file.Read(buffer, 5000);
        Assert.True(file.TryReadCached(buffer, 6000, out _));
        file.Read(buffer, 6000);
        Assert.Equal(1, disk.PageCache.Waits);
    }

    [Fact]
    public void What_was_asked_for_or_written_is_not_waited_for()
    {
        using var file = disk.Open(At("file"), FileOpenMode.CreateNew);
        file.Write(new byte[64 << 10], 0);
        disk.PageCache.Drop();
        file.Prefetch(8000, 1000);
        file.Write("x"u8, 20_000);
        var buffer = new byte[900];
        file.Read(buffer, 8050);
        file.Read(buffer.AsSpan(0, 100), 20_000);
        Assert.Equal(0, disk.PageCache.Waits);
        Assert.Equal([new PrefetchHint(At("file"), 8000, 1000)], disk.PageCache.Hints);
    }
}
