using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>A pool is made larger while it is in use.</summary>
public sealed class GrowthTests
{
    const int Chunk = MapLayout.ChunkBytes, BlocksPerChunk = MapLayout.BlocksPerChunk;

    readonly SimulatedFileSystem disk = new(isRecording: false);

    [Fact]
    public async Task What_it_has_more_can_be_written_and_is_there_at_the_next_opening()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 20, disk: disk);
        var volume = await pool.CreateVolumeAsync("disk", 64 * Chunk);
        await volume.WriteAsync(Lba.Zero, Random(20 * BlocksPerChunk));
        await Assert.ThrowsAsync<DeviceFullException>(async () => await volume.WriteAsync(new Lba(20 * BlocksPerChunk), Random(1)));

        await pool.Pool.GrowAsync(50 * Chunk);
        Assert.Equal(50 * Chunk, pool.Pool.GetUsage().CapacityBytes);
        Assert.Equal(20 * Chunk, pool.Pool.GetUsage().AllocatedBytes);
        await volume.WriteAsync(Lba.Zero, Random(50 * BlocksPerChunk));
        await Assert.ThrowsAsync<DeviceFullException>(async () => await volume.WriteAsync(new Lba(50 * BlocksPerChunk), Random(1)));
        await volume.FlushAsync();
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);

        await pool.ReopenAsync();
        Assert.Equal(50 * Chunk, pool.Pool.GetUsage().CapacityBytes);
        var found = new byte[50 * Chunk];
        await pool.Pool.OpenVolume("disk")!.ReadAsync(Lba.Zero, found);
        Assert.Equal(Random(50 * BlocksPerChunk), found);
    }

    [Fact]
    public async Task It_grows_beyond_the_group_of_chunks_that_its_end_was_in()
    {
        await using var pool = await TestPool.CreateAsync(chunks: 20, disk: disk);
        await pool.CreateVolumeAsync("first", 20 * Chunk, isThick: true);
        const long capacity = (2L * MapLayout.ChunksPerGroup * Chunk) + Chunk;
        await pool.Pool.GrowAsync(capacity);
        var beyond = pool.Pool.Space.ChunkCount - 1;
        var cursor = beyond;
        Assert.Equal(beyond, pool.Pool.Space.Take(beyond, 0, ref cursor));
        pool.Pool.Space.Release([beyond]);
        await pool.CreateVolumeAsync("second", 100 * Chunk, isThick: true);
        await pool.ReopenAsync();
        Assert.Equal(capacity, pool.Pool.GetUsage().CapacityBytes);
        Assert.Equal(120 * Chunk, pool.Pool.GetUsage().AllocatedBytes);
        Assert.Empty((await pool.Pool.VerifyAsync()).Problems);
    }

    [Theory]
    [InlineData(50 * Chunk, 50)]
    [InlineData((49 * Chunk) + 1, 50)]
    public async Task A_size_becomes_whole_chunks(long asked, int chunks)
    {
        await using var pool = await TestPool.CreateAsync(chunks: 20, disk: disk);
        await pool.Pool.GrowAsync(asked);
        Assert.Equal(chunks * Chunk, pool.Pool.GetUsage().CapacityBytes);
        await pool.Pool.GrowAsync(asked); // It has that.
        Assert.Equal(chunks * Chunk, pool.Pool.GetUsage().CapacityBytes);
    }

    [Theory]
    [InlineData(19 * Chunk)]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(StoragePool.MaxCapacityBytes + 1)]
    [InlineData(long.MaxValue)]
    public async Task No_pool_shrinks_or_has_a_size_that_is_none(long asked)
    {
        await using var pool = await TestPool.CreateAsync(chunks: 20, disk: disk);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await pool.Pool.GrowAsync(asked));
        Assert.Equal(20 * Chunk, pool.Pool.GetUsage().CapacityBytes);
    }

    [Fact]
    public async Task A_file_that_cannot_be_that_long_leaves_the_pool_as_it_was()
    {
        var rule = new FaultRule(FaultOperations.SetLength, FaultKind.TooLarge) { PathPattern = "/pool.data" };
        var faulty = new FaultyFileSystem(disk);
        await using var pool = await TestPool.CreateAsync(chunks: 20, disk: faulty);
        faulty.Add(rule);
        var refusal = await Assert.ThrowsAsync<DeviceFullException>(async () => await pool.Pool.GrowAsync(50 * Chunk));
        Assert.Contains("the file system has no files of 3407872 bytes", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(20 * Chunk, pool.Pool.GetUsage().CapacityBytes);
        await pool.Pool.GrowAsync(50 * Chunk);
        Assert.Equal(50 * Chunk, pool.Pool.GetUsage().CapacityBytes);
    }

    [Fact]
    public async Task A_size_whose_table_memory_does_not_hold_leaves_the_pool_as_it_was_and_is_not_opened()
    {
        const long Tebibyte = 1L << 40;
        var options = TestPool.DefaultOptions() with { AvailableMemory = () => 1 << 20 };
        await using var pool = await TestPool.CreateAsync(chunks: 20, disk: disk, options: options);
        var refusal = await Assert.ThrowsAsync<DeviceFullException>(async () => await pool.Pool.GrowAsync(Tebibyte));
        Assert.Equal("main: no space left: the table of 1 TiB takes 4.12 MiB of memory, of which 1 MiB are left", refusal.Message);
        Assert.Equal(20 * Chunk, pool.Pool.GetUsage().CapacityBytes);
        await pool.ReopenAsync();
        Assert.Equal(20 * Chunk, pool.Pool.GetUsage().CapacityBytes);

        await pool.Pool.GrowAsync(Tebibyte / 8);
        await pool.Pool.DisposeAsync();
        await Assert.ThrowsAsync<DeviceFullException>(() =>
            TestPool.OpenAsync(disk, TestPool.DefaultOptions(2) with { AvailableMemory = () => 1 << 18 }));
        await using var opened = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(3));
        Assert.Equal(Tebibyte / 8, opened.Pool.GetUsage().CapacityBytes);
    }

    [Fact]
    public async Task The_superblocks_follow()
    {
        await using (var pool = await TestPool.CreateAsync(chunks: 20, disk: disk))
        {
            await pool.CreateVolumeAsync("disk", 64 * Chunk);
            await pool.Pool.GrowAsync(50 * Chunk);
        }

        using var file = disk.Open("/pool.data", FileOpenMode.ReadOnly);
        var counts = new List<long>();
        for (var copy = 0; copy < Superblock.CopyCount; copy++)
        {
            var bytes = new byte[Superblock.SizeBytes];
            file.Read(bytes, Superblock.CopyOffsetBytes(copy));
            counts.Add(Superblock.Read(bytes, "device", 0).ChunkCount);
        }

        Assert.Contains(52, counts);
    }

    static byte[] Random(int blocks) => new SeededRandom(9).Bytes(blocks * 4096);
}
