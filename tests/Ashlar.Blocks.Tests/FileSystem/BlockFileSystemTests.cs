using Ashlar.Blocks.Devices;
using Ashlar.Blocks.FileSystem;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.FileSystem;

public sealed class BlockFileSystemTests
{
    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void What_was_synced_is_there_after_opening_again(int blockSizeBytes)
    {
        var device = TestDisk.Format(blockSizeBytes: blockSizeBytes);
        var content = new SeededRandom(3).Bytes(100_000);
        var disk = TestDisk.Open(device);
        disk.CreateDirectory("/a");
        using (var file = disk.Open("/a/b", FileOpenMode.CreateNew))
        {
            file.Write(content, 0);
            file.Sync();
            disk.SyncDirectory("/a");
            file.Write("lost"u8, 0);
        }

        var again = TestDisk.Open(device); // The process has ended without a word.
        Assert.Equal(["b"], again.List("/a"));
        Assert.Equal(content, Read(again, "/a/b"));
        Assert.True(again.Verify().IsSound);
    }

    [Fact]
    public void What_was_written_is_durable_once_it_is_closed()
    {
        var device = TestDisk.Format();
        using (var disk = TestDisk.Open(device)) Write(disk, "/file", [1, 2, 3]);
        using (var disk = TestDisk.Open(device)) Assert.Equal([1, 2, 3], Read(disk, "/file"));
    }

    [Fact]
    public void A_full_disk_takes_what_fits_and_gives_it_back_once_something_is_deleted()
    {
        using var disk = TestDisk.Open(TestDisk.Format());
        var free = disk.GetFreeSpaceBytes("/");
        Write(disk, "/a", new byte[free - (2 * TestDisk.UnitBytes)]);
        using var file = disk.Open("/b", FileOpenMode.CreateNew);
        Assert.Equal(StorageErrorKind.NoSpace, Assert.Throws<StorageException>(() => file.Write(new byte[50_000], 0)).Kind);
        Assert.Equal(2 * TestDisk.UnitBytes, file.LengthBytes);
        Assert.Equal(0, disk.GetFreeSpaceBytes("/"));
        Assert.Equal(
            StorageErrorKind.NoSpace, Assert.Throws<StorageException>(() => file.Allocate(0, 50_000)).Kind);
        Assert.Equal(2 * TestDisk.UnitBytes, file.LengthBytes);
        disk.Delete("/a");
        Assert.Equal(free - (2 * TestDisk.UnitBytes), disk.GetFreeSpaceBytes("/"));
        file.Write(new byte[free], 0);
        Assert.True(disk.Verify().IsSound);
    }

    [Fact]
    public void A_deleted_file_occupies_space_until_it_is_closed_and_none_when_its_process_has_ended()
    {
        var device = TestDisk.Format();
        var disk = TestDisk.Open(device);
        var free = disk.GetFreeSpaceBytes("/");
        var file = disk.Open("/file", FileOpenMode.CreateNew);
        file.Write(new byte[free], 0);
        file.Sync();
        disk.SyncDirectory("/");
        disk.Delete("/file");
        disk.SyncDirectory("/");
        Assert.Equal(0, disk.GetFreeSpaceBytes("/"));

        var again = TestDisk.Open(device);
        Assert.Equal(free, again.GetFreeSpaceBytes("/"));
        Write(again, "/other", new byte[free]);
        Assert.True(again.Verify().IsSound);
    }

    [Fact]
    public void Space_that_a_file_gave_up_can_be_had_although_nobody_synced_it()
    {
        using var disk = TestDisk.Open(TestDisk.Format());
        var free = disk.GetFreeSpaceBytes("/");
        using var file = disk.Open("/file", FileOpenMode.CreateNew);
        file.Write(new byte[free], 0);
        file.PunchHole(0, free / 2 / TestDisk.UnitBytes * TestDisk.UnitBytes);
        Write(disk, "/other", new byte[free / 2 / TestDisk.UnitBytes * TestDisk.UnitBytes]);
        Assert.Equal(0, disk.GetFreeSpaceBytes("/"));
        Assert.True(disk.Verify().IsSound);
    }

    [Fact]
    public void An_append_to_a_file_that_was_allocated_costs_one_flush()
    {
        var device = new CountingDevice(TestDisk.Format());
        using var disk = TestDisk.Open(device);
        using var file = disk.Open("/log", FileOpenMode.CreateNew);
        file.Allocate(0, 100_000);
        file.Sync();
        disk.SyncDirectory("/");
        var before = (device.Flushes, device.Writes);
        for (var i = 0; i < 10; i++)
        {
            file.Write(new byte[1000], i * 1000);
            file.Sync();
        }

        Assert.Equal((before.Flushes + 10, before.Writes + 10), (device.Flushes, device.Writes));
    }

    [Fact]
    public void A_file_that_grows_within_its_unit_costs_one_flush()
    {
        var device = new CountingDevice(TestDisk.Format());
        Write(TestDisk.Open(device), "/file", [1], isSynced: true);
        using var disk = TestDisk.Open(device);
        using var file = disk.Open("/file", FileOpenMode.Existing);
        Append(); // The first one clears what an earlier life may have left behind.
        var before = device.Flushes;
        for (var i = 0; i < 5; i++) Append();
        Assert.Equal(before + 5, device.Flushes);

        void Append()
        {
            file.Write(new byte[100], file.LengthBytes);
            file.Sync();
        }
    }

    [Fact]
    public void It_grows_and_its_areas_with_it()
    {
        var device = new MemoryDevice((TestDisk.OffsetBytes + (64 << 20)) / 512, 512);
        BlockFileSystem.Format(device, [new(TestDisk.OffsetBytes, TestDisk.RegionBytes)], TestDisk.Options());
        var disk = TestDisk.Open(device);
        Write(disk, "/before", [1, 2, 3], isSynced: true);
        Assert.Throws<ArgumentException>(() => disk.Grow(new(TestDisk.OffsetBytes, 8192)));
        Assert.Throws<ArgumentException>(() => disk.Grow(new(TestDisk.OffsetBytes + TestDisk.RegionBytes, 8193)));
        Assert.Throws<ArgumentException>(() => disk.Grow(new(60 << 20, 8 << 20)));
        disk.Grow(new(16 << 20, 32 << 20));
        Assert.InRange(disk.GetFreeSpaceBytes("/"), 31 << 20, 33 << 20);
        var content = new SeededRandom(1).Bytes(20 << 20);
        Write(disk, "/large", content, isSynced: true);
        Assert.True(disk.Verify().IsSound);

        var again = TestDisk.Open(device);
        Assert.Equal(disk.Extents, again.Extents);
        Assert.Equal([1, 2, 3], Read(again, "/before"));
        Assert.Equal(content, Read(again, "/large"));
        Assert.True(again.Verify().IsSound);
        again.Grow(new(4 << 20, 8 << 20));
        Assert.True(again.Verify().IsSound);
    }

    [Fact]
    public void Many_files_are_refused_when_the_metadata_have_no_room_and_the_others_stay()
    {
        var device = TestDisk.Format(8 << 20);
        var disk = TestDisk.Open(device);
        var count = 0;
        var full = Assert.Throws<StorageException>(CreateForEver);
        void CreateForEver()
        {
            for (; ; count++) disk.Open($"/{count}", FileOpenMode.CreateNew).Dispose();
        }

        Assert.Equal(StorageErrorKind.NoSpace, full.Kind);
        Assert.InRange(count, 400, 2000);
        disk.SyncDirectory("/");
        Assert.Equal(count, TestDisk.Open(device).List("/").Count);
        for (var i = 0; i < 10; i++) disk.Delete($"/{i}");
        disk.SyncDirectory("/");
        disk.Open("/again", FileOpenMode.CreateNew).Dispose();
        Assert.True(disk.Verify().IsSound);
    }

    [Fact]
    public void A_flush_that_failed_ends_all_writing_but_no_reading()
    {
        var device = new CountingDevice(TestDisk.Format());
        var disk = TestDisk.Open(device);
        Write(disk, "/file", [1, 2, 3], isSynced: true);
        using var file = disk.Open("/file", FileOpenMode.Existing);
        file.Write("x"u8, 0);
        device.Failure = new DeviceIOException("it", "broken", isTransient: false);
        Assert.Equal(StorageErrorKind.InputOutput, Assert.Throws<StorageException>(file.Sync).Kind);
        device.Failure = null;
        Assert.Contains("broken", Assert.Throws<StorageException>(file.Sync).Message, StringComparison.Ordinal);
        Assert.Throws<StorageException>(() => file.Write("x"u8, 0));
        Assert.Throws<StorageException>(() => disk.Delete("/file"));
        Assert.Throws<StorageException>(() => disk.SyncDirectory("/"));
        Assert.Equal(3, Read(disk, "/file").Length);
        disk.Dispose();
    }

    [Fact]
    public void What_is_only_read_is_not_changed()
    {
        var below = new SimulatedFileSystem();
        using (var disk = TestDisk.Open(TestDisk.CreateFile(below))) Write(disk, "/file", [1, 2, 3]);
        below.RestartTrace();
        using var device = new FileDeviceHandle(FileDevice.Open(below, TestDisk.DevicePath, isReadOnly: true));
        using var read = TestDisk.Open(device.Device);
        Assert.Equal([1, 2, 3], Read(read, "/file"));
        var error = Assert.Throws<StorageException>(() => read.Delete("/file"));
        Assert.Equal((StorageErrorKind.AccessDenied, Errno.ReadOnlyFileSystem), (error.Kind, error.Errno));
        Assert.Equal(0, below.TraceLength);
    }

    [Fact]
    public void A_read_while_units_change_hands_gives_nothing_of_another_file()
    {
        using var disk = TestDisk.Open(TestDisk.Format(1 << 20));
        var until = DateTime.UtcNow.AddSeconds(1);
        var content = Enumerable.Repeat((byte)1, 100_000).ToArray();
        Write(disk, "/one", content, isSynced: true);
        using var one = disk.Open("/one", FileOpenMode.Existing);
        var reader = Task.Run(() =>
        {
            var buffer = new byte[content.Length];
            while (DateTime.UtcNow < until)
            {
                one.Read(buffer, 0);
                Assert.DoesNotContain((byte)2, buffer);
                one.TryReadCached(buffer, 0, out _);
                one.Prefetch(0, content.Length);
            }
        });
        while (DateTime.UtcNow < until)
        {
            one.PunchHole(0, content.Length);
            one.Sync();
            Write(disk, "/two", Enumerable.Repeat((byte)2, 400_000).ToArray(), isSynced: true);
            disk.Delete("/two");
            one.Write(content, 0);
            disk.SyncDirectory("/");
        }

        reader.GetAwaiter().GetResult();
        Assert.True(disk.Verify().IsSound);
    }

    [Fact]
    public void Names_are_committed_by_several_at_once()
    {
        var device = TestDisk.Format(2 << 20);
        using (var disk = TestDisk.Open(device))
        {
            Parallel.For(0, 4, thread =>
            {
                for (var i = 0; i < 300; i++)
                {
                    Write(disk, $"/{thread}", [1], isSynced: true);
                    disk.Delete($"/{thread}");
                    disk.SyncDirectory("/");
                }
            });
            Assert.True(disk.Verify().IsSound);
        }

        using var again = TestDisk.Open(device);
        Assert.Empty(again.List("/"));
        Assert.True(again.Verify().IsSound);
    }

    [Fact]
    public void Names_have_limits()
    {
        using var disk = TestDisk.Open(TestDisk.Format());
        disk.Open("/" + new string('x', 255), FileOpenMode.CreateNew).Dispose();
        Assert.Throws<StorageException>(() => disk.Open("/" + new string('x', 256), FileOpenMode.CreateNew));
        Assert.Throws<ArgumentException>(() => disk.Open("/a/../b", FileOpenMode.CreateNew));
        Assert.ThrowsAny<ArgumentException>(() => disk.Open("/\ud800", FileOpenMode.CreateNew));
        disk.CreateDirectory("/a");
        disk.CreateDirectory("/a/b");
        Assert.Throws<StorageException>(() => disk.Rename("/a", "/a/b/c"));
        using var file = disk.Open("/file", FileOpenMode.CreateNew);
        Assert.Equal(Errno.FileTooLarge, Assert.Throws<StorageException>(() => file.Write("x"u8, long.MaxValue)).Errno);
        Assert.Equal(Errno.FileTooLarge, Assert.Throws<StorageException>(() => file.SetLength(long.MaxValue)).Errno);
    }

    internal static byte[] Read(IFileSystem disk, string path)
    {
        using var file = disk.Open(path, FileOpenMode.ReadOnly);
        return file.ReadWhole();
    }

    internal static void Write(IFileSystem disk, string path, byte[] content, bool isSynced = false)
    {
        using var file = disk.Open(path, FileOpenMode.OpenOrCreate);
        file.Write(content, 0);
        if (!isSynced) return;
        file.Sync();
        disk.SyncDirectory("/");
    }

    sealed class FileDeviceHandle(FileDevice device) : IDisposable
    {
        public FileDevice Device => device;

        public void Dispose() => device.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
