using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Driver;

/// <summary>Writers that meet in one block.</summary>
public sealed class SharedBlockTests
{
    const int BlockSize = 4096;

    readonly HeldDevice device = new(new MemoryDevice(64));
    readonly BlockDriver driver;

    public SharedBlockTests() => driver = new BlockDriver(device);

    [Fact]
    public async Task Neighbouring_halves_written_at_once_are_both_there()
    {
        device.HoldReads();
        var first = driver.WriteAsync(0, Filled(1, BlockSize / 2)).AsTask();
        var second = driver.WriteAsync(BlockSize / 2, Filled(2, BlockSize / 2)).AsTask();
        Assert.Equal(1, device.ReadsBegun); // The second waits for the first to have written.
        device.Release();
        await Task.WhenAll(first, second);
        Assert.Equal([.. Filled(1, BlockSize / 2), .. Filled(2, BlockSize / 2)], (IEnumerable<byte>)await Read(0, BlockSize));
    }

    [Fact]
    public async Task Parts_of_different_blocks_do_not_wait_for_each_other()
    {
        device.HoldReads();
        Task[] writes = [.. new[] { 5, 1, 9 }.Select(block => driver.WriteAsync((block * BlockSize) + 10, Filled(1, 10)).AsTask())];
        Assert.Equal(3, device.ReadsBegun);
        device.Release();
        await Task.WhenAll(writes);
    }

    [Fact]
    public async Task A_part_of_a_block_does_not_undo_a_write_of_the_whole_block_that_completes_meanwhile()
    {
        device.HoldReads();
        var part = driver.WriteAsync(10, Filled(1, 10)).AsTask(); // Has read the block as it was.
        var whole = driver.WriteAsync(0, Filled(2, BlockSize)).AsTask();
        Assert.False(whole.IsCompleted);
        device.Release();
        await Task.WhenAll(part, whole);
        var content = await Read(0, BlockSize);
        Assert.All(content[..10].Concat(content[20..]), value => Assert.Equal(2, value));
    }

    [Fact]
    public async Task A_part_of_a_block_is_read_only_after_the_write_of_the_whole_block_before_it()
    {
        device.HoldWrites();
        var whole = driver.WriteAsync(0, Filled(2, 3 * BlockSize)).AsTask();
        var part = driver.WriteAsync(BlockSize + 10, Filled(1, 10)).AsTask();
        Assert.Equal(0, device.ReadsBegun);
        device.Release();
        await Task.WhenAll(whole, part);
        var content = await Read(BlockSize, BlockSize);
        Assert.All(content[..10].Concat(content[20..]), value => Assert.Equal(2, value));
        Assert.All(content[10..20], value => Assert.Equal(1, value));
    }

    [Fact]
    public async Task A_part_of_a_block_does_not_bring_back_what_was_trimmed_meanwhile()
    {
        await driver.WriteAsync(0, Filled(9, BlockSize));
        device.HoldReads();
        var part = driver.WriteAsync(10, Filled(1, 10)).AsTask();
        var trim = driver.TrimAsync(0, BlockSize).AsTask();
        device.Release();
        await Task.WhenAll(part, trim);
        Assert.DoesNotContain((byte)9, await Read(0, BlockSize));
    }

    [Fact]
    public async Task Whole_blocks_elsewhere_do_not_wait()
    {
        device.HoldReads();
        var part = driver.WriteAsync(10, Filled(1, 10)).AsTask();
        Assert.True(driver.WriteAsync(16 * BlockSize, Filled(2, BlockSize)).AsTask().IsCompletedSuccessfully);
        device.Release();
        await part;
    }

    [Fact]
    public async Task A_writer_that_gives_up_waiting_leaves_the_block_to_others()
    {
        device.HoldReads();
        var first = driver.WriteAsync(0, Filled(1, 10)).AsTask();
        using var giveUp = new CancellationTokenSource();
        var second = driver.WriteAsync(10, Filled(2, 10), WriteOptions.None, giveUp.Token).AsTask();
        var third = driver.WriteAsync(0, Filled(3, BlockSize), WriteOptions.None, giveUp.Token).AsTask();
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);
        device.Release();
        await first;
        await driver.WriteAsync(20, Filled(4, 10));
        await driver.WriteAsync(0, Filled(5, BlockSize));
        Assert.Equal(0, driver.GetStatistics().Failures);
    }

    [Fact]
    public async Task A_write_that_fails_leaves_the_block_to_others()
    {
        var faulty = new FaultyDevice(new MemoryDevice(4), new SeededEntropy(1));
        var unlucky = new BlockDriver(faulty);
        faulty.Add(new DeviceFault { Kind = DeviceFaultKind.Error, Times = 2 });
        await Assert.ThrowsAsync<DeviceIOException>(async () => await unlucky.WriteAsync(10, Filled(1, 10)));
        await Assert.ThrowsAsync<DeviceIOException>(async () => await unlucky.WriteAsync(0, Filled(1, BlockSize)));
        await unlucky.WriteAsync(10, Filled(1, 10));
        await unlucky.WriteAsync(0, Filled(1, BlockSize));
    }

    /// <summary>
    /// Each task owns some bytes of shared blocks and checks, after each write of its own, that they are as written.
    /// </summary>
    [Theory, Seeds(count: 3)]
    public async Task Every_writer_finds_its_own_bytes_unchanged_whatever_the_others_do(ulong seed)
    {
        const int Writers = 6, Blocks = 40, Share = 600;
        var slow = new BlockDriver(new YieldingDevice(new MemoryDevice(Blocks)));
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            var random = SeededRandom.For(seed, $"writer {writer}");
            for (var round = 0; round < 200; round++)
            {
                var offset = random.Next(Blocks) * BlockSize + writer * Share;
                var data = random.Bytes(1 + random.Next(Share));
                await slow.WriteAsync(offset, data);
                var read = new byte[data.Length];
                await slow.ReadAsync(offset, read);
                Assert.Equal(data, read);
            }
        })));
    }

    static byte[] Filled(byte value, int length) => Enumerable.Repeat(value, length).ToArray();

    async Task<byte[]> Read(int offset, int length)
    {
        var buffer = new byte[length];
        await driver.ReadAsync(offset, buffer);
        return buffer;
    }
}
