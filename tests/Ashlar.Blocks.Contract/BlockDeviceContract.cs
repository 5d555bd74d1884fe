using Ashlar.Simulation;

namespace Ashlar.Blocks.Contract;

/// <summary>
/// What every <see cref="IBlockDevice"/> promises, as tests. Derive a class, say how to make a device, and run it.
/// </summary>
public abstract class BlockDeviceContract : IAsyncLifetime
{
    /// <summary>The device under test: blank, writable, of at least <see cref="BlocksNeeded"/> blocks.</summary>
    protected IBlockDevice Device { get; private set; } = null!;

    /// <summary>How many blocks the tests use.</summary>
    protected const int BlocksNeeded = 300;

    int BlockSize => Device.Geometry.BlockSizeBytes;

    long BlockCount => Device.Geometry.BlockCount;

    /// <summary>Makes a blank device.</summary>
    protected abstract ValueTask<IBlockDevice> CreateAsync();

    public virtual async Task InitializeAsync()
    {
        Device = await CreateAsync();
        Assert.True(BlockCount >= BlocksNeeded, "The contract needs a larger device.");
    }

    public virtual async Task DisposeAsync() => await Device.DisposeAsync();

    [Fact]
    public async Task What_is_written_is_read()
    {
        var data = Random(3, seed: 1);
        await Device.WriteAsync(new Lba(7), data);
        Assert.Equal(data, await Read(7, 3));
        Assert.Equal(data[BlockSize..(2 * BlockSize)], await Read(8, 1));
    }

    [Fact]
    public async Task A_block_that_was_never_written_reads_as_zeros()
    {
        await Device.WriteAsync(new Lba(11), Random(1, seed: 2));
        Assert.Equal(Zeros(1), await Read(10, 1));
        Assert.Equal(Zeros(1), await Read(12, 1));
        Assert.Equal(Zeros(1), await Read(BlockCount - 1, 1));
    }

    [Fact]
    public async Task A_read_over_written_and_unwritten_blocks_fills_the_whole_destination()
    {
        var data = Random(1, seed: 3);
        await Device.WriteAsync(new Lba(2), data);
        await AssertBlocks(0, 5, [.. Zeros(2), .. data, .. Zeros(2)]);
    }

    [Fact]
    public async Task Each_request_that_fails_counts_once_and_what_is_given_up_does_not()
    {
        var beyond = new Lba(BlockCount);
        Func<CancellationToken, ValueTask>[] refused =
        [
            token => Device.ReadAsync(beyond, new byte[BlockSize], token),
            token => Device.WriteAsync(beyond, new byte[BlockSize], WriteOptions.ForceUnitAccess, token),
            token => Device.WriteAsync(Lba.Zero, new byte[BlockSize - 1], WriteOptions.None, token),
            token => Device.WriteZeroesAsync(beyond, 1, ZeroOptions.ForceUnitAccess, token),
            token => Device.TrimAsync(beyond, 1, token),
        ];
        var before = Device.GetStatistics();
        foreach (var request in refused)
            await Assert.ThrowsAnyAsync<BlockDeviceException>(async () => await request(CancellationToken.None));
        Assert.Equal(before with { Failures = before.Failures + refused.Length }, Device.GetStatistics());

        var givenUp = new CancellationToken(canceled: true);
        Func<ValueTask>[] cancelled =
        [
            () => Device.ReadAsync(Lba.Zero, new byte[BlockSize], givenUp),
            () => Device.WriteAsync(Lba.Zero, new byte[BlockSize], WriteOptions.None, givenUp),
            () => Device.WriteZeroesAsync(Lba.Zero, 1, ZeroOptions.None, givenUp),
            () => Device.TrimAsync(Lba.Zero, 1, givenUp),
            () => Device.FlushAsync(givenUp),
        ];
        foreach (var request in cancelled) await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await request());
        Assert.Equal(before.Failures + refused.Length, Device.GetStatistics().Failures);
    }

    [Fact]
    public async Task The_last_write_wins()
    {
        await Device.WriteAsync(new Lba(4), Random(4, seed: 4));
        var newer = Random(2, seed: 5);
        await Device.WriteAsync(new Lba(5), newer);
        Assert.Equal(newer, await Read(5, 2));
    }

    [Fact]
    public async Task A_trimmed_block_reads_as_zeros_and_its_neighbours_stay()
    {
        var data = Random(5, seed: 6);
        await Device.WriteAsync(new Lba(20), data);
        await Device.TrimAsync(new Lba(21), 3);
        await AssertBlocks(20, 5, [.. data[..BlockSize], .. Zeros(3), .. data[(4 * BlockSize)..]]);
    }

    [Fact]
    public async Task A_trimmed_block_can_be_written_again()
    {
        await Device.WriteAsync(new Lba(30), Random(2, seed: 7));
        await Device.TrimAsync(new Lba(30), 2);
        var data = Random(1, seed: 8);
        await Device.WriteAsync(new Lba(30), data);
        await AssertBlocks(30, 2, [.. data, .. Zeros(1)]);
    }

    [Theory]
    [InlineData(ZeroOptions.None)]
    [InlineData(ZeroOptions.KeepAllocated)]
    [InlineData(ZeroOptions.ForceUnitAccess)]
    [InlineData(ZeroOptions.KeepAllocated | ZeroOptions.ForceUnitAccess)]
    public async Task A_zeroed_range_reads_as_zeros_and_its_neighbours_stay(ZeroOptions options)
    {
        var data = Random(5, seed: 9);
        await Device.WriteAsync(new Lba(40), data);
        await Device.WriteZeroesAsync(new Lba(41), 3, options);
        await AssertBlocks(40, 5, [.. data[..BlockSize], .. Zeros(3), .. data[(4 * BlockSize)..]]);
    }

    [Fact]
    public async Task Zeroing_fast_zeroes_or_says_that_it_cannot()
    {
        await Device.WriteAsync(new Lba(50), Random(1, seed: 10));
        try
        {
            await Device.WriteZeroesAsync(new Lba(50), 1, ZeroOptions.FastOnly);
        }
        catch (NotSupportedException)
        {
            await Device.WriteZeroesAsync(new Lba(50), 1);
        }
        Assert.Equal(Zeros(1), await Read(50, 1));
    }

    [Fact]
    public async Task A_write_with_forced_unit_access_is_read_back()
    {
        var data = Random(2, seed: 11);
        await Device.WriteAsync(new Lba(60), data, WriteOptions.ForceUnitAccess);
        Assert.Equal(data, await Read(60, 2));
    }

    [Fact]
    public async Task Flush_keeps_what_was_written()
    {
        var data = Random(1, seed: 12);
        await Device.WriteAsync(new Lba(61), data);
        await Device.FlushAsync();
        await Device.FlushAsync();
        Assert.Equal(data, await Read(61, 1));
    }

    [Fact]
    public async Task The_first_and_the_last_block_are_blocks_like_any_other()
    {
        var first = Random(1, seed: 13);
        var last = Random(1, seed: 14);
        await Device.WriteAsync(Lba.Zero, first);
        await Device.WriteAsync(new Lba(BlockCount - 1), last);
        Assert.Equal(first, await Read(0, 1));
        Assert.Equal(last, await Read(BlockCount - 1, 1));
        await Device.TrimAsync(new Lba(BlockCount - 1), 1);
        Assert.Equal(Zeros(1), await Read(BlockCount - 1, 1));
    }

    public static TheoryData<long, int> RangesBeyondTheEnd => new()
    {
        { 0, 1 }, // Offsets from the end of the device.
        { -1, 2 },
        { 1, 1 },
        { long.MinValue, 1 },
        { long.MaxValue, 1 },
    };

    [Theory]
    [MemberData(nameof(RangesBeyondTheEnd))]
    public async Task A_range_beyond_the_end_fails_and_changes_nothing(long fromEnd, int blocks)
    {
        var data = Random(1, seed: 15);
        await Device.WriteAsync(new Lba(BlockCount - 1), data);
        var start = new Lba(fromEnd is long.MinValue or long.MaxValue ? fromEnd : BlockCount + fromEnd);
        await Assert.ThrowsAnyAsync<BlockRangeException>(async () => await Device.ReadAsync(start, Zeros(blocks)));
        await Assert.ThrowsAnyAsync<BlockRangeException>(async () => await Device.WriteAsync(start, Zeros(blocks)));
        await Assert.ThrowsAnyAsync<BlockRangeException>(async () => await Device.WriteZeroesAsync(start, blocks));
        await Assert.ThrowsAnyAsync<BlockRangeException>(async () => await Device.TrimAsync(start, blocks));
        Assert.Equal(data, await Read(BlockCount - 1, 1));
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    public async Task A_length_that_no_device_has_fails(long blocks)
    {
        await Assert.ThrowsAnyAsync<BlockRangeException>(async () => await Device.TrimAsync(new Lba(1), blocks));
        await Assert.ThrowsAnyAsync<BlockRangeException>(async () => await Device.WriteZeroesAsync(new Lba(1), blocks));
    }

    [Fact]
    public async Task A_buffer_that_ends_within_a_block_fails()
    {
        await Assert.ThrowsAsync<BlockAlignmentException>(async () => await Device.ReadAsync(Lba.Zero, new byte[BlockSize - 1]));
        await Assert.ThrowsAsync<BlockAlignmentException>(async () => await Device.WriteAsync(Lba.Zero, new byte[BlockSize + 1]));
    }

    [Fact]
    public async Task An_empty_request_succeeds()
    {
        await Device.ReadAsync(new Lba(3), Memory<byte>.Empty);
        await Device.WriteAsync(new Lba(3), ReadOnlyMemory<byte>.Empty);
        await Device.WriteZeroesAsync(new Lba(3), 0);
        await Device.TrimAsync(new Lba(3), 0);
        Assert.Equal(Zeros(1), await Read(3, 1));
    }

    [Fact]
    public async Task A_request_that_is_cancelled_beforehand_is_not_begun()
    {
        var cancelled = new CancellationToken(canceled: true);
        var data = Random(1, seed: 16);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Device.WriteAsync(new Lba(3), data, WriteOptions.None, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Device.ReadAsync(new Lba(3), Zeros(1), cancelled));
        Assert.Equal(Zeros(1), await Read(3, 1));
    }

    [Fact]
    public async Task Extents_cover_the_range_in_order_and_a_hole_is_never_data()
    {
        await Device.WriteAsync(new Lba(100), Random(10, seed: 17));
        await Device.TrimAsync(new Lba(103), 2);
        var extents = new BlockExtent[BlocksNeeded];
        var filled = Device.DescribeExtents(new Lba(90), 40, extents);
        Assert.InRange(filled, 1, extents.Length);
        Assert.Equal(40, extents[..filled].Sum(extent => extent.BlockCount));
        long block = 90;
        for (var i = 0; i < filled; i++)
        {
            Assert.True(extents[i].BlockCount > 0);
            if (i > 0) Assert.NotEqual(extents[i - 1].Kind, extents[i].Kind);
            if (extents[i].Kind != BlockExtentKind.Data)
                Assert.Equal(Zeros((int)extents[i].BlockCount), await Read(block, (int)extents[i].BlockCount));
            block += extents[i].BlockCount;
        }
    }

    [Fact]
    public async Task Extents_stop_when_the_span_is_full()
    {
        for (var block = 0; block < 20; block += 2) await Device.WriteAsync(new Lba(block), Random(1, seed: 18));
        var one = new BlockExtent[1];
        Assert.Equal(1, Device.DescribeExtents(Lba.Zero, 20, one));
        Assert.InRange(one[0].BlockCount, 1, 20);
    }

    [Fact]
    public async Task Statistics_count_requests_and_bytes()
    {
        var before = Device.GetStatistics();
        await Device.WriteAsync(new Lba(1), Random(2, seed: 19));
        await Read(1, 3);
        await Device.TrimAsync(new Lba(1), 1);
        await Device.FlushAsync();
        var after = Device.GetStatistics();
        Assert.Equal(1, after.Reads - before.Reads);
        Assert.Equal(1, after.Writes - before.Writes);
        Assert.Equal(1, after.Trims - before.Trims);
        Assert.Equal(1, after.Flushes - before.Flushes);
        Assert.Equal(3 * BlockSize, after.BytesRead - before.BytesRead);
        Assert.Equal(2 * BlockSize, after.BytesWritten - before.BytesWritten);
    }

    [Fact]
    public async Task Concurrent_writers_of_different_blocks_do_not_disturb_each_other()
    {
        var writers = Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var round = 0; round < 40; round++)
            {
                var block = round * 4 + writer;
                await Device.WriteAsync(new Lba(block), Random(1, seed: (ulong)block));
            }
        }));
        await Task.WhenAll(writers);
        for (var block = 0; block < 160; block++) Assert.Equal(Random(1, seed: (ulong)block), await Read(block, 1));
    }

    async Task AssertBlocks(long block, int count, byte[] expected) => Assert.Equal(expected, await Read(block, count));

    protected async Task<byte[]> Read(long block, int count)
    {
        var buffer = new byte[count * BlockSize];
        buffer.AsSpan().Fill(0xEE);
        await Device.ReadAsync(new Lba(block), buffer);
        return buffer;
    }

    protected byte[] Random(int blocks, ulong seed) => new SeededRandom(seed).Bytes(blocks * BlockSize);

    protected byte[] Zeros(int blocks) => new byte[blocks * BlockSize];
}
