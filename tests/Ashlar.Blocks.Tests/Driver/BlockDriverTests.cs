using Ashlar.Blocks.Devices;
using Ashlar.Simulation;

namespace Ashlar.Blocks.Tests.Driver;

public sealed class BlockDriverTests
{
    readonly MemoryDevice device = new(64);
    readonly BlockDriver driver;

    public BlockDriverTests() => driver = new BlockDriver(device);

    [Theory]
    [InlineData(0, 4096)] // One block.
    [InlineData(0, 3 * 4096)]
    [InlineData(0, 10)] // Start of a block.
    [InlineData(100, 10)] // Middle of a block.
    [InlineData(4090, 6)] // End of a block.
    [InlineData(4090, 12)] // Over a border.
    [InlineData(4096, 4100)] // Whole block and a tail.
    [InlineData(4000, 4192)] // Head and a whole block.
    [InlineData(4000, 3 * 4096)] // Head, whole blocks, tail.
    public async Task What_is_written_to_a_byte_range_is_read_from_it_and_nothing_around_it_changes(int offset, int length)
    {
        var expected = new SeededRandom(1).Bytes((int)driver.SizeBytes);
        await driver.WriteAsync(0, expected);
        var data = new SeededRandom(2).Bytes(length);
        data.CopyTo(expected, offset);
        await driver.WriteAsync(offset, data);

        Assert.Equal(data, await Read(offset, length));
        Assert.Equal(expected, await Read(0, expected.Length));
    }

    [Theory]
    [InlineData(0, 4096)]
    [InlineData(100, 10)]
    [InlineData(4000, 3 * 4096)]
    [InlineData(4090, 12)]
    public async Task A_zeroed_byte_range_reads_as_zeros_and_nothing_around_it_changes(int offset, int length)
    {
        var expected = new SeededRandom(3).Bytes((int)driver.SizeBytes);
        await driver.WriteAsync(0, expected);
        expected.AsSpan(offset, length).Clear();
        await driver.WriteZeroesAsync(offset, length);
        Assert.Equal(expected, await Read(0, expected.Length));
    }

    [Theory]
    [InlineData(0, 4096, 0, 1)]
    [InlineData(1, 4096, 0, 0)]
    [InlineData(1, 8191, 1, 1)]
    [InlineData(1, 8190, 0, 0)]
    [InlineData(4095, 4098, 1, 1)]
    [InlineData(5, 10, 0, 0)]
    public async Task Trim_takes_only_the_whole_blocks_within_the_range(int offset, int length, int firstBlock, int blocks)
    {
        var expected = new SeededRandom(4).Bytes((int)driver.SizeBytes);
        await driver.WriteAsync(0, expected);
        expected.AsSpan(firstBlock * 4096, blocks * 4096).Clear();
        await driver.TrimAsync(offset, length);
        Assert.Equal(expected, await Read(0, expected.Length));
        Assert.Equal(blocks, device.CountStates().Trimmed);
    }

    public static TheoryData<long, int> RangesOutOfBounds => new()
    {
        { 64 * 4096, 1 },
        { 64 * 4096 - 1, 2 },
        { -1, 1 },
        { long.MaxValue, 1 },
        { long.MinValue, 1 },
        { long.MaxValue - 10, 4096 },
        { 64 * 4096 + 1, 0 },
        { 60 * 4096, 5 * 4096 + 1 },
    };

    [Theory]
    [MemberData(nameof(RangesOutOfBounds))]
    public async Task A_range_beyond_the_end_fails_with_offset_length_and_size(long offset, int length)
    {
        var errors = new[]
        {
            await Assert.ThrowsAsync<OutOfBoundsException>(async () => await driver.ReadAsync(offset, new byte[length])),
            await Assert.ThrowsAsync<OutOfBoundsException>(async () => await driver.WriteAsync(offset, new byte[length])),
            await Assert.ThrowsAsync<OutOfBoundsException>(async () => await driver.WriteZeroesAsync(offset, length)),
            await Assert.ThrowsAsync<OutOfBoundsException>(async () => await driver.TrimAsync(offset, length)),
        };
        Assert.All(errors, error => Assert.Equal((offset, length), (error.OffsetBytes, error.LengthBytes)));
        Assert.All(errors, error => Assert.Equal(((length + 4095) / 4096, 64), (error.BlockCount, error.DeviceBlockCount)));
        Assert.Contains($"{length} bytes at byte {offset} are out of bounds: the device has 262144 bytes", errors[0].Message, StringComparison.Ordinal);
        Assert.Equal(4, driver.GetStatistics().Failures);
        Assert.Equal(0, device.GetStatistics().Failures); // Refused before the device was asked.
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    public async Task A_length_that_no_device_has_fails(long length)
    {
        await Assert.ThrowsAsync<OutOfBoundsException>(async () => await driver.TrimAsync(4096, length));
        await Assert.ThrowsAsync<OutOfBoundsException>(async () => await driver.WriteZeroesAsync(4096, length));
    }

    [Fact]
    public async Task An_empty_request_succeeds_even_at_the_very_end()
    {
        await driver.ReadAsync(driver.SizeBytes, Memory<byte>.Empty);
        await driver.WriteAsync(driver.SizeBytes, ReadOnlyMemory<byte>.Empty);
        await driver.WriteZeroesAsync(driver.SizeBytes, 0);
        await driver.TrimAsync(driver.SizeBytes, 0);
        Assert.Equal(0, driver.GetStatistics().Reads + driver.GetStatistics().Writes + driver.GetStatistics().Trims);
    }

    [Fact]
    public async Task A_bad_block_fails_every_request_that_touches_it_and_is_named()
    {
        await device.MarkBadAsync(new Lba(5));
        var error = await Assert.ThrowsAsync<BadBlockException>(async () => await driver.ReadAsync(4 * 4096, new byte[3 * 4096]));
        Assert.Equal(new Lba(5), error.Block);
        await Assert.ThrowsAsync<BadBlockException>(async () => await driver.WriteAsync(5 * 4096 + 1, new byte[1]));
        await Assert.ThrowsAsync<BadBlockException>(async () => await driver.WriteZeroesAsync(5 * 4096, 1));
        await Assert.ThrowsAsync<BadBlockException>(async () => await driver.TrimAsync(5 * 4096, 4096));
        await driver.WriteAsync(6 * 4096, new byte[4096]);
        Assert.Equal(0, driver.GetStatistics().Retries);
    }

    async Task<byte[]> Read(long offset, int length)
    {
        var buffer = new byte[length];
        buffer.AsSpan().Fill(0xEE);
        await driver.ReadAsync(offset, buffer);
        return buffer;
    }
}
