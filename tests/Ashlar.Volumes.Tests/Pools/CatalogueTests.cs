using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>Volumes are created, found, resized and deleted by name.</summary>
public sealed class CatalogueTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("0")]
    [InlineData("db-1.data_x")]
    public async Task A_name_may_be(string name)
    {
        await using var pool = await TestPool.CreateAsync();
        await pool.CreateVolumeAsync(name, 8 << 20);
        Assert.NotNull(pool.Pool.FindVolume(name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData(".")]
    [InlineData("a/b")]
    [InlineData("a@b")]
    [InlineData("Data")]
    [InlineData("a b")]
    [InlineData("ä")]
    public async Task A_name_may_not_be(string name)
    {
        await using var pool = await TestPool.CreateAsync();
        var error = await Assert.ThrowsAsync<VolumeNameException>(async () => await pool.CreateVolumeAsync(name, 8 << 20));
        Assert.Contains("a-z, 0-9", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_volume_that_two_names_find_while_it_is_renamed_is_listed_once()
    {
        await using var pool = await TestPool.CreateAsync();
        var volume = (VolumeDevice)await pool.CreateVolumeAsync("old", 8 << 20);
        volume.Record = volume.Record with { Name = "new" };
        Assert.True(pool.Pool.Catalogue.TryAdd(volume));
        Assert.Equal("new", Assert.Single(pool.Pool.ListVolumes()).Name);
        Assert.Equal(8 << 20, pool.Pool.GetUsage().ProvisionedBytes);
    }

    [Fact]
    public async Task Limits_are_kept_with_the_volume_and_outlast_a_change_of_its_size()
    {
        await using var pool = await TestPool.CreateAsync();
        await pool.Pool.CreateVolumeAsync("disk", new VolumeOptions { SizeBytes = 8 << 20, Limits = new(Iops: 500) });
        var changed = await pool.Pool.LimitVolumeAsync("disk", limits => new(limits.Iops, 1 << 20));
        Assert.Equal(new RateLimits(500, 1 << 20), changed.Limits);
        await pool.Pool.ResizeVolumeAsync("disk", 16 << 20);
        await pool.Pool.ResizeVolumeAsync("disk", 4 << 20, allowShrink: true);
        await pool.ReopenAsync();
        Assert.Equal(new RateLimits(500, 1 << 20), pool.Pool.FindVolume("disk")!.Limits);
        await pool.Pool.LimitVolumeAsync("disk", _ => RateLimits.None);
        await pool.ReopenAsync();
        Assert.Equal(RateLimits.None, pool.Pool.FindVolume("disk")!.Limits);
        await Assert.ThrowsAsync<VolumeNameException>(async () => await pool.Pool.LimitVolumeAsync("other", limits => limits));
    }

    [Fact]
    public async Task A_name_has_at_most_128_characters()
    {
        await using var pool = await TestPool.CreateAsync();
        await pool.CreateVolumeAsync(new string('a', 128), 8 << 20);
        await Assert.ThrowsAsync<VolumeNameException>(async () => await pool.CreateVolumeAsync(new string('a', 129), 8 << 20));
    }

    [Fact]
    public async Task A_name_is_taken_once_and_free_again_after_deletion()
    {
        await using var pool = await TestPool.CreateAsync();
        var first = await pool.CreateVolumeAsync("disk", 8 << 20);
        await first.WriteAsync(Lba.Zero, new SeededRandom(1).Bytes(4096));
        var firstId = pool.Pool.FindVolume("disk")!.Id;
        await Assert.ThrowsAsync<VolumeNameException>(async () => await pool.CreateVolumeAsync("disk", 8 << 20));
        await pool.DeleteVolumeAsync("disk");
        Assert.Null(pool.Pool.FindVolume("disk"));
        Assert.Null(pool.Pool.OpenVolume("disk"));
        Assert.Empty(pool.Pool.ListVolumes());
        await Assert.ThrowsAsync<VolumeDeletedException>(async () => await first.ReadAsync(Lba.Zero, new byte[4096]));
        await Assert.ThrowsAsync<VolumeDeletedException>(async () => await first.WriteAsync(Lba.Zero, new byte[4096]));
        await Assert.ThrowsAsync<VolumeDeletedException>(async () => await first.FlushAsync());

        var second = await pool.CreateVolumeAsync("disk", 8 << 20);
        Assert.NotEqual(firstId, pool.Pool.FindVolume("disk")!.Id);
        var data = new byte[4096];
        await second.ReadAsync(Lba.Zero, data);
        Assert.Equal(new byte[4096], data);
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
    }

    [Theory]
    [InlineData(0, 512)]
    [InlineData(1000, 512)]
    [InlineData(512, 4096)]
    [InlineData(-512, 512)]
    [InlineData(4096, 1024)]
    [InlineData((1L << 50) + 4096, 4096)]
    public async Task A_size_that_is_not_possible_is_refused(long sizeBytes, int blockSizeBytes)
    {
        await using var pool = await TestPool.CreateAsync();
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await pool.CreateVolumeAsync("disk", sizeBytes, blockSizeBytes));
    }

    [Fact]
    public async Task A_volume_of_a_pebibyte_costs_nothing()
    {
        await using var pool = await TestPool.CreateAsync();
        var disk = await pool.CreateVolumeAsync("disk", StoragePool.MaxVolumeBytes);
        await disk.WriteAsync(new Lba(disk.Geometry.BlockCount - 1), new SeededRandom(1).Bytes(4096));
        Assert.Equal(MapLayout.ChunkBytes, pool.Pool.GetUsage().AllocatedBytes);
    }

    [Fact]
    public async Task Shrinking_must_be_allowed_and_what_lies_beyond_never_comes_back()
    {
        await using var pool = await TestPool.CreateAsync();
        var disk = await pool.CreateVolumeAsync("disk", 4 << 20, 512);
        await disk.WriteAsync(Lba.Zero, new SeededRandom(1).Bytes(4 << 20));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await pool.Pool.ResizeVolumeAsync("disk", 1 << 20));
        var info = await pool.Pool.ResizeVolumeAsync("disk", (1 << 20) + 512, allowShrink: true);
        Assert.Equal((1 << 20) + 512, info.SizeBytes);
        Assert.Equal((1 << 20) + MapLayout.ChunkBytes, info.AllocatedBytes);
        await Assert.ThrowsAsync<BlockRangeException>(async () => await disk.ReadAsync(new Lba(2050), new byte[512]));
        await pool.Pool.ResizeVolumeAsync("disk", 4 << 20);
        await pool.ReopenAsync();
        var data = new byte[4 << 20];
        await pool.Pool.OpenVolume("disk")!.ReadAsync(Lba.Zero, data);
        Assert.False(data.AsSpan((1 << 20) + 512).ContainsAnyExcept((byte)0));
        Assert.True(data.AsSpan(0, (1 << 20) + 512).SequenceEqual(new SeededRandom(1).Bytes(4 << 20).AsSpan(0, (1 << 20) + 512)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Extents_for_which_there_is_no_room_are_left_out_from_the_first_on(int room)
    {
        await using var pool = await TestPool.CreateAsync();
        var disk = await pool.CreateVolumeAsync("disk", 16 << 20);
        for (var chunk = 0; chunk < 64; chunk += 2) await disk.WriteAsync(new Lba(chunk * MapLayout.BlocksPerChunk), new byte[MapLayout.ChunkBytes]);
        var extents = new BlockExtent[room];
        Assert.Equal(room, disk.DescribeExtents(Lba.Zero, disk.Geometry.BlockCount, extents));
        Assert.All(extents, each => Assert.Equal(MapLayout.BlocksPerChunk, each.BlockCount));
        Assert.All(extents.Index(), each => Assert.Equal(each.Index % 2 == 0, each.Item.Kind == BlockExtentKind.Data));
    }

    [Fact]
    public async Task Describing_a_pebibyte_of_nothing_costs_a_look()
    {
        await using var pool = await TestPool.CreateAsync();
        var disk = await pool.CreateVolumeAsync("disk", StoragePool.MaxVolumeBytes);
        var end = disk.Geometry.BlockCount - 1;
        await disk.WriteAsync(new Lba(end), new byte[4096]);
        await pool.ReopenAsync();
        disk = pool.Pool.OpenVolume("disk")!;
        var extents = new BlockExtent[4];
        disk.DescribeExtents(Lba.Zero, 1, extents);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(3, disk.DescribeExtents(Lba.Zero, disk.Geometry.BlockCount, extents));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32 << 20); // 8 MiB for the table of leaves; a look at each GiB would take hundreds.
        Assert.Equal(new BlockExtent(BlockExtentKind.Data, 1), extents[2] with { BlockCount = 1 });
        Assert.Equal(disk.Geometry.BlockCount, extents[0].BlockCount + extents[1].BlockCount + extents[2].BlockCount);
    }

    [Theory]
    [InlineData("a.b")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("A")]
    public async Task A_new_pool_may_not_be_called(string name)
    {
        var files = new SimulatedFileSystem(isRecording: false);
        await using var device = FileDevice.Create(files, "/data", 1 << 20);
        using var store = TestPool.OpenStore(files);
        var error = await Assert.ThrowsAsync<VolumeNameException>(async () => await StoragePool.FormatAsync(name, device, store, TestPool.DefaultOptions()));
        Assert.Contains("a pool's name", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pool_with_a_dot_in_its_name_still_opens()
    {
        var test = await TestPool.CreateAsync();
        await test.DisposeAsync();
        using (var file = test.Disk.Open("/pool.data", FileOpenMode.Existing))
        {
            var bytes = new byte[Superblock.SizeBytes];
            file.Read(bytes, 0);
            (Superblock.Read(bytes, "test", 0) with { Name = "old.pool" }).Write(bytes);
            for (var copy = 0; copy < Superblock.CopyCount; copy++) file.Write(bytes, Superblock.CopyOffsetBytes(copy));
        }

        await using var pool = await TestPool.OpenAsync(test.Disk, test.Options);
        Assert.Equal("old.pool", pool.Pool.Name);
    }

    [Fact]
    public async Task A_change_that_the_disk_of_the_map_has_no_room_for_is_refused_and_nothing_has_changed()
    {
        var files = new FaultyFileSystem(new SimulatedFileSystem(isRecording: false));
        var device = FileDevice.Create(files, "/pool.data", 258L * MapLayout.ChunkBytes, 4096);
        var store = KeyValueStore.Open("/map", new KeyValueOptions
        {
            FileSystem = files,
            TimeProvider = new SimulatedClock(),
            Entropy = new SeededEntropy(2),
            LogSegmentBytes = 1024,
            SpaceReserveBytes = 0,
        });
        await StoragePool.FormatAsync("main", device, store, TestPool.DefaultOptions());
        await using var pool = await StoragePool.OpenAsync(device, store, TestPool.DefaultOptions());
        await pool.CreateVolumeAsync("disk", new VolumeOptions { SizeBytes = 8 << 20 });
        files.Add(new FaultRule(FaultOperations.Allocate | FaultOperations.Write, FaultKind.NoSpace) { PathPattern = "/map/table*", IsSticky = true });
        files.Add(new FaultRule(FaultOperations.Allocate, FaultKind.NoSpace) { PathPattern = "/map/log-*", IsSticky = true });
        var created = 0;
        var refusal = await Record.ExceptionAsync(async () =>
        {
            for (; created < 100; created++) await pool.CreateVolumeAsync($"more{created}", new VolumeOptions { SizeBytes = 8 << 20 });
        });
        Assert.IsType<DeviceFullException>(refusal);
        Assert.Equal(1 + created, pool.ListVolumes().Count);
        await Assert.ThrowsAsync<DeviceFullException>(async () => await pool.ResizeVolumeAsync("disk", 16 << 20));
        await Assert.ThrowsAsync<DeviceFullException>(async () => await pool.ResizeVolumeAsync("disk", 4 << 20, allowShrink: true));
        await Assert.ThrowsAsync<DeviceFullException>(async () => await pool.DeleteVolumeAsync("disk"));
        Assert.Equal(8 << 20, pool.FindVolume("disk")!.SizeBytes);
        Assert.Null(pool.GetStatistics().Failure);

        files.Heal();
        await pool.CreateVolumeAsync($"more{created}", new VolumeOptions { SizeBytes = 8 << 20 });
        await pool.ResizeVolumeAsync("disk", 16 << 20);
        await (await pool.DeleteVolumeAsync("disk")).Completion;
        Assert.Equal(1 + created, pool.ListVolumes().Count);
    }

    [Fact]
    public async Task Unknown_volumes_are_not_found_or_an_error()
    {
        await using var pool = await TestPool.CreateAsync();
        Assert.Null(pool.Pool.FindVolume("no"));
        await Assert.ThrowsAsync<VolumeNameException>(async () => await pool.Pool.DeleteVolumeAsync("no"));
        await Assert.ThrowsAsync<VolumeNameException>(async () => await pool.Pool.ResizeVolumeAsync("no", 4096));
    }

    [Fact]
    public async Task Discarding_a_huge_volume_touches_only_what_was_written()
    {
        await using var pool = await TestPool.CreateAsync();
        var disk = await pool.CreateVolumeAsync("disk", 1L << 40);
        await disk.WriteAsync(new Lba(1000), new SeededRandom(1).Bytes(4096));
        await disk.WriteAsync(new Lba(200_000_000), new SeededRandom(1).Bytes(4096));
        await disk.FlushAsync();
        await disk.TrimAsync(Lba.Zero, disk.Geometry.BlockCount);
        await disk.FlushAsync();
        Assert.Equal(0, pool.Pool.GetUsage().AllocatedBytes);
        var extents = new BlockExtent[4];
        Assert.Equal(1, disk.DescribeExtents(Lba.Zero, disk.Geometry.BlockCount, extents));
        Assert.Equal(new BlockExtent(BlockExtentKind.Hole, disk.Geometry.BlockCount), extents[0]);
    }
}
