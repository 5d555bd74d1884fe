using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>What matters about a device whose blocks have states, in memory and in a file.</summary>
public abstract class StatefulDeviceScenarios : IAsyncLifetime
{
    const int BlockSize = 4096;

    StatefulDevice Device { get; set; } = null!;

    protected abstract StatefulDevice Create();

    public Task InitializeAsync()
    {
        Device = Create();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await Device.DisposeAsync();

    [Fact]
    public void A_device_has_2048_free_blocks_of_4096_bytes_unless_told_otherwise()
    {
        Assert.Equal((BlockSize, 2048L, 8L << 20), (Device.Geometry.BlockSizeBytes, Device.Geometry.BlockCount, Device.Geometry.SizeBytes));
        Assert.Equal(new BlockStateCounts(2048, 0, 0, 0), Device.CountStates());
    }

    [Fact]
    public async Task What_is_written_is_read()
    {
        var data = Random(1);
        await Device.WriteAsync(new Lba(100), data);
        Assert.Equal(data, await Read(100));
        Assert.Equal(BlockState.Used, Device.GetState(new Lba(100)));
    }

    [Fact]
    public async Task A_trimmed_block_reads_zeros()
    {
        await Device.WriteAsync(new Lba(100), Random(2));
        await Device.TrimAsync(new Lba(100), 1);
        Assert.Equal(new byte[BlockSize], await Read(100));
        Assert.Equal(BlockState.Trimmed, Device.GetState(new Lba(100)));
    }

    [Fact]
    public async Task A_request_beyond_the_end_fails()
    {
        var error = await Assert.ThrowsAsync<BlockRangeException>(
            async () => await Device.WriteAsync(new Lba(2047), new byte[2 * BlockSize]));
        Assert.Equal((new Lba(2047), 2L, 2048L), (error.Start, error.BlockCount, error.DeviceBlockCount));
        await Assert.ThrowsAsync<BlockRangeException>(async () => await Device.ReadAsync(new Lba(2048), new byte[BlockSize]));
        Assert.Equal(BlockState.Free, Device.GetState(new Lba(2047)));
    }

    [Fact]
    public async Task A_bad_block_fails()
    {
        await Device.WriteAsync(new Lba(6), Random(3));
        await Device.MarkBadAsync(new Lba(7));
        Func<Task>[] requests =
        [
            async () => await Device.ReadAsync(new Lba(6), new byte[3 * BlockSize]),
            async () => await Device.WriteAsync(new Lba(6), new byte[3 * BlockSize]),
            async () => await Device.WriteZeroesAsync(new Lba(6), 3),
            async () => await Device.TrimAsync(new Lba(6), 3),
        ];
        foreach (var request in requests)
        {
            var error = await Assert.ThrowsAsync<BadBlockException>(request);
            Assert.Equal(new Lba(7), error.Block);
            Assert.False(error.IsTransient);
        }
        Assert.Equal(Random(3), await Read(6)); // A request that fails on one block changes none.
        Assert.Equal(BlockState.Bad, Device.GetState(new Lba(7)));
        Assert.Equal(4, Device.GetStatistics().Failures);
    }

    [Fact]
    public async Task A_bad_block_is_blank_and_usable_once_it_is_replaced()
    {
        await Device.WriteAsync(new Lba(7), Random(4));
        await Device.MarkBadAsync(new Lba(7));
        Assert.True(await Device.ReplaceBlockAsync(new Lba(7)));
        Assert.Equal(BlockState.Free, Device.GetState(new Lba(7)));
        Assert.Equal(new byte[BlockSize], await Read(7));
        await Device.WriteAsync(new Lba(7), Random(5));
        Assert.Equal(Random(5), await Read(7));
    }

    [Fact]
    public async Task Only_bad_blocks_can_be_replaced()
    {
        await Device.WriteAsync(new Lba(7), Random(6));
        Assert.False(await Device.ReplaceBlockAsync(new Lba(7)));
        Assert.Equal(Random(6), await Read(7));
    }

    [Fact]
    public async Task Free_and_trimmed_blocks_can_be_written_again()
    {
        await Device.WriteAsync(new Lba(1), Random(7));
        await Device.TrimAsync(new Lba(1), 1);
        await Device.WriteAsync(new Lba(1), Random(8));
        Assert.Equal(Random(8), await Read(1));
        Assert.Equal(BlockState.Used, Device.GetState(new Lba(1)));
    }

    [Fact]
    public async Task Trimming_a_block_that_was_never_written_leaves_it_free()
    {
        await Device.TrimAsync(Lba.Zero, 2048);
        Assert.Equal(new BlockStateCounts(2048, 0, 0, 0), Device.CountStates());
    }

    [Fact]
    public async Task Trim_marks_and_does_not_erase_so_it_counts_as_a_state_and_not_as_space()
    {
        await Device.WriteAsync(Lba.Zero, new byte[10 * BlockSize]);
        await Device.TrimAsync(new Lba(2), 3);
        await Device.MarkBadAsync(new Lba(9));
        Assert.Equal(new BlockStateCounts(2038, 6, 3, 1), Device.CountStates());
    }

    [Fact]
    public async Task Blocks_without_content_are_described_as_holes()
    {
        await Device.WriteAsync(new Lba(10), new byte[4 * BlockSize]);
        await Device.TrimAsync(new Lba(11), 1);
        var extents = new BlockExtent[8];
        var filled = Device.DescribeExtents(new Lba(8), 10, extents);
        Assert.Equal(
            [
                new BlockExtent(BlockExtentKind.Hole, 2), new BlockExtent(BlockExtentKind.Data, 1),
                new BlockExtent(BlockExtentKind.Hole, 1), new BlockExtent(BlockExtentKind.Data, 2),
                new BlockExtent(BlockExtentKind.Hole, 4),
            ],
            extents[..filled]);
    }

    [Fact]
    public async Task Neighbours_without_content_are_one_hole_whether_trimmed_or_never_written()
    {
        await Device.WriteAsync(new Lba(10), new byte[4 * BlockSize]);
        await Device.TrimAsync(new Lba(13), 1);
        var extents = new BlockExtent[8];
        var filled = Device.DescribeExtents(new Lba(8), 10, extents);
        Assert.Equal(
            [new BlockExtent(BlockExtentKind.Hole, 2), new BlockExtent(BlockExtentKind.Data, 3), new BlockExtent(BlockExtentKind.Hole, 5)],
            extents[..filled]);
    }

    static byte[] Random(ulong seed) => new SeededRandom(seed).Bytes(BlockSize);

    async Task<byte[]> Read(long block)
    {
        var buffer = Random(99);
        await Device.ReadAsync(new Lba(block), buffer);
        return buffer;
    }
}

public sealed class MemoryDeviceScenarios : StatefulDeviceScenarios
{
    protected override StatefulDevice Create() => new MemoryDevice();
}

public sealed class DeviceFileScenarios : StatefulDeviceScenarios
{
    protected override StatefulDevice Create() =>
        DeviceFile.Create(new SimulatedFileSystem(isRecording: false), "/disk", new SeededEntropy(1));
}

public sealed class DeviceFileOnTheRealDiskScenarios : StatefulDeviceScenarios, IDisposable
{
    readonly TestKit.TemporaryDirectory directory = new();

    protected override StatefulDevice Create() => DeviceFile.Create(FileSystems.Real, directory["disk"], SystemEntropy.Instance);

    public void Dispose() => directory.Dispose();
}
