using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>Blocks that are damaged in one copy of a device that has two.</summary>
public sealed class RepairTests
{
    readonly SimulatedFileSystem disk = new(isRecording: false);
    TwoCopies copies = null!;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_block_that_does_not_match_is_read_from_the_copy_that_does_and_mended(int damaged)
    {
        await using var pool = await CreateAsync();
        var volume = await pool.CreateVolumeAsync("disk", 1 << 20);
        var content = new SeededRandom(1).Bytes(8 * 4096);
        await volume.WriteAsync(Lba.Zero, content);
        await pool.Pool.CommitAsync();
        copies.Damage(damaged, content.AsSpan(4096, 4096));
        copies.Damage(damaged, content.AsSpan(7 * 4096, 4096));
        copies.First = damaged;
        Assert.Equal(content, await ReadAsync(volume, 8));
        Assert.Equal(2, pool.Pool.GetStatistics().RepairedBlocks);
        Assert.Equal(0, pool.Pool.GetStatistics().CorruptBlocks);
        copies.First = 1 - damaged;
        Assert.Equal(content, await ReadAsync(volume, 8));
        copies.First = damaged;
        Assert.Equal(content, await ReadAsync(volume, 8));
        Assert.Equal(2, pool.Pool.GetStatistics().RepairedBlocks);
        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Fact]
    public async Task What_a_snapshot_needs_is_mended_when_it_is_read_and_when_the_block_is_completed()
    {
        await using var pool = await CreateAsync();
        var volume = await pool.CreateVolumeAsync("disk", 1 << 20, blockSizeBytes: 512);
        var content = new SeededRandom(1).Bytes(2 * 4096);
        await volume.WriteAsync(Lba.Zero, content);
        await pool.Pool.TakeSnapshotAsync("disk", "s");
        copies.Damage(0, content.AsSpan(0, 4096));
        copies.Damage(0, content.AsSpan(4096, 4096));
        await volume.WriteAsync(new Lba(9), new byte[512]); // The rest of the second block is read for that.
        Assert.Equal(1, pool.Pool.GetStatistics().RepairedBlocks);
        Assert.Equal(content, await ReadAsync(pool.Pool.OpenSnapshot("disk", "s")!, 2));
        Assert.Equal(2, pool.Pool.GetStatistics().RepairedBlocks);
        new byte[512].CopyTo(content, 9 * 512);
        Assert.Equal(content, await ReadAsync(volume, 2));
    }

    [Fact]
    public async Task A_mend_through_a_snapshot_that_is_deleted_does_not_come_over_what_is_written_then()
    {
        await using var pool = await CreateAsync();
        var volume = await pool.CreateVolumeAsync("disk", 1 << 20);
        var (content, newer) = (new SeededRandom(1).Bytes(4096), new SeededRandom(2).Bytes(4096));
        await volume.WriteAsync(Lba.Zero, content);
        await pool.Pool.TakeSnapshotAsync("disk", "s");
        copies.Damage(0, content);
        var (reached, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        copies.BeforeRewrite = () =>
        {
            reached.TrySetResult();
            return go.Task;
        };
        var view = (VolumeDevice)pool.Pool.OpenSnapshot("disk", "s")!;
        var read = ReadAsync(view, 1);
        await reached.Task;
        var deletion = pool.Pool.DeleteSnapshotsAsync("disk", ["s"]).AsTask();
        while (!view.IsGone) await Task.Yield();
        // While the mend is under way this goes elsewhere: where the old content lies it would come back.
        await volume.WriteAsync(Lba.Zero, newer);
        Assert.False(deletion.IsCompleted);
        go.SetResult();
        await deletion;
        await ((Task)read).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var copy in (int[])[1, 0])
        {
            copies.First = copy;
            Assert.Equal(newer, await ReadAsync(volume, 1));
        }

        Assert.Empty((await pool.Pool.VerifyAsync(readData: true)).Problems);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_scrub_mends_either_copy_of_what_only_a_snapshot_has(int damaged)
    {
        await using var pool = await CreateAsync();
        var volume = await pool.CreateVolumeAsync("disk", 1 << 20);
        var content = new SeededRandom(1).Bytes(4096);
        await volume.WriteAsync(Lba.Zero, content);
        await pool.Pool.TakeSnapshotAsync("disk", "s");
        await volume.WriteAsync(Lba.Zero, new byte[4096]);
        copies.Damage(damaged, content);
        await pool.Pool.CreateScrub(looksAtCopies: true).RunAsync((_, _) => ValueTask.CompletedTask, CancellationToken.None);
        Assert.Equal(1, pool.Pool.GetStatistics().RepairedBlocks);
        copies.First = damaged;
        Assert.Equal(content, await ReadAsync(pool.Pool.OpenSnapshot("disk", "s")!, 1));
        Assert.Equal(1, pool.Pool.GetStatistics().RepairedBlocks);
    }

    [Fact]
    public async Task A_block_that_is_wrong_in_all_copies_is_damaged()
    {
        await using var pool = await CreateAsync();
        var volume = await pool.CreateVolumeAsync("disk", 1 << 20);
        var content = new SeededRandom(1).Bytes(4096);
        await volume.WriteAsync(Lba.Zero, content);
        await pool.Pool.CommitAsync();
        copies.Damage(0, content);
        copies.Damage(1, content);
        await Assert.ThrowsAsync<CorruptDataException>(() => ReadAsync(volume, 1));
        Assert.Equal((0, 1), (pool.Pool.GetStatistics().RepairedBlocks, pool.Pool.GetDamage().Blocks));
    }

    Task<TestPool> CreateAsync() => TestPool.CreateAsync(
        disk: disk,
        wrap: device => copies = new TwoCopies(device, new MemoryDevice(device.Geometry.BlockCount, device.Geometry.BlockSizeBytes)));

    static async Task<byte[]> ReadAsync(IBlockDevice device, int blocks)
    {
        var content = new byte[blocks * 4096];
        await device.ReadAsync(Lba.Zero, content);
        return content;
    }

    sealed class TwoCopies(IBlockDevice one, IBlockDevice other) : IRedundantDevice
    {
        readonly IBlockDevice[] copies = [one, other];

        /// <summary>The copy that reads are served from.</summary>
        public int First { get; set; }

        public string Name => one.Name;

        public BlockGeometry Geometry => one.Geometry;

        public bool IsReadOnly => false;

        public int CopyCount => 2;

        /// <summary>Flips a bit of the block that has this content.</summary>
        public void Damage(int copy, ReadOnlySpan<byte> content)
        {
            var block = new byte[4096];
            for (var lba = 0; ; lba++)
            {
                copies[copy].ReadAsync(new Lba(lba), block).AsTask().GetAwaiter().GetResult();
                if (!block.AsSpan().SequenceEqual(content)) continue;
                block[100] ^= 4;
                copies[copy].WriteAsync(new Lba(lba), block).AsTask().GetAwaiter().GetResult();
                return;
            }
        }

        public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default) =>
            copies[First].ReadAsync(start, destination, cancellationToken);

        public async ValueTask WriteAsync(
            Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default)
        {
            foreach (var copy in copies) await copy.WriteAsync(start, source, options, cancellationToken);
        }

        public async ValueTask WriteZeroesAsync(
            Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default)
        {
            foreach (var copy in copies) await copy.WriteZeroesAsync(start, blockCount, options, cancellationToken);
        }

        public async ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default)
        {
            foreach (var copy in copies) await copy.TrimAsync(start, blockCount, cancellationToken);
        }

        public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
        {
            foreach (var copy in copies) await copy.FlushAsync(cancellationToken);
        }

        public async ValueTask<bool> ReadCopyAsync(
            Lba start, Memory<byte> destination, int copy, CancellationToken cancellationToken = default)
        {
            await copies[copy].ReadAsync(start, destination, cancellationToken);
            return true;
        }

        /// <summary>Runs before a mend; may wait.</summary>
        public Func<Task> BeforeRewrite { get; set; } = () => Task.CompletedTask;

        public async ValueTask RewriteAsync(Lba start, ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            await BeforeRewrite();
            await WriteAsync(start, source, WriteOptions.None, cancellationToken);
        }

        public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents) =>
            one.DescribeExtents(start, blockCount, extents);

        public DeviceStatistics GetStatistics() => one.GetStatistics();

        public async ValueTask DisposeAsync()
        {
            foreach (var copy in copies) await copy.DisposeAsync();
        }
    }
}
