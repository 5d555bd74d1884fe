using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Devices;

public sealed class FaultyDeviceTests
{
    const int BlockSize = 4096;

    readonly SimulatedClock clock = new();
    readonly MemoryDevice medium = new(16);
    readonly FaultyDevice device;

    public FaultyDeviceTests() => device = new FaultyDevice(medium, new SeededEntropy(1), clock, hasVolatileCache: true);

    [Fact]
    public async Task An_error_strikes_as_often_as_told_and_the_request_does_nothing()
    {
        var fault = device.Add(DeviceFault.TransientError(2, DriverOperation.Write));
        for (var i = 0; i < 2; i++)
        {
            var error = await Assert.ThrowsAsync<DeviceIOException>(async () => await device.WriteAsync(Lba.Zero, Filled(1)));
            Assert.True(error.IsTransient);
        }
        Assert.Equal(0, medium.GetStatistics().Writes);
        await device.WriteAsync(Lba.Zero, Filled(1));
        Assert.Equal(2, fault.Hits);
        Assert.Equal(2, device.GetStatistics().Failures);
    }

    [Fact]
    public async Task What_it_lets_through_is_counted()
    {
        await device.WriteAsync(Lba.Zero, Filled(1));
        await device.WriteZeroesAsync(Lba.Zero, 3);
        await device.ReadAsync(Lba.Zero, new byte[2 * BlockSize]);
        await device.TrimAsync(Lba.Zero, 1);
        await device.FlushAsync();
        Assert.Equal(new DeviceStatistics(1, 2, 1, 1, 0, 2 * BlockSize, 4 * BlockSize), device.GetStatistics());
    }

    [Fact]
    public async Task The_nth_request_can_be_chosen()
    {
        device.Add(new DeviceFault { Kind = DeviceFaultKind.Error, Operations = [DriverOperation.Flush], Skip = 2, Times = 1 });
        await device.FlushAsync();
        await device.FlushAsync();
        await Assert.ThrowsAsync<DeviceIOException>(async () => await device.FlushAsync());
        await device.FlushAsync();
    }

    [Fact]
    public async Task Bad_blocks_fail_until_the_fault_is_removed_and_others_do_not()
    {
        var fault = device.Add(DeviceFault.BadBlocks(new Lba(5), 2));
        var error = await Assert.ThrowsAsync<BadBlockException>(async () => await device.ReadAsync(new Lba(4), new byte[3 * BlockSize]));
        Assert.Equal(new Lba(5), error.Block);
        error = await Assert.ThrowsAsync<BadBlockException>(async () => await device.TrimAsync(new Lba(6), 4));
        Assert.Equal(new Lba(6), error.Block);
        await device.WriteAsync(new Lba(4), Filled(1));
        await device.WriteAsync(new Lba(7), Filled(1));
        await device.FlushAsync();
        device.Remove(fault);
        await device.WriteAsync(new Lba(5), Filled(1));
    }

    [Fact]
    public async Task A_delayed_request_completes_when_its_time_has_come()
    {
        device.Add(DeviceFault.Latency(TimeSpan.FromMilliseconds(20), DriverOperation.Read));
        device.Add(DeviceFault.Latency(TimeSpan.FromMilliseconds(10)));
        var read = device.ReadAsync(Lba.Zero, new byte[BlockSize]).AsTask();
        clock.Advance(TimeSpan.FromMilliseconds(29));
        Assert.False(read.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await read.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_a_torn_write_some_sectors_arrive_and_some_do_not(bool isSilent)
    {
        await device.WriteAsync(Lba.Zero, (byte[])[.. Filled(1), .. Filled(1)]);
        device.Add(DeviceFault.TornWrites(times: 1, isSilent));
        var write = device.WriteAsync(Lba.Zero, (byte[])[.. Filled(2), .. Filled(2)]).AsTask();
        if (isSilent) await write;
        else Assert.False((await Assert.ThrowsAsync<DeviceIOException>(() => write)).IsTransient);

        var content = await Read(0, 2);
        var sectors = content.Chunk(512).ToArray();
        Assert.All(sectors, sector => Assert.True(sector.Distinct().Count() == 1, "A sector is written whole."));
        Assert.InRange(sectors.Count(sector => sector[0] == 1), 1, 15);
    }

    [Theory, Seeds(count: 10)]
    public async Task A_power_cut_loses_only_what_was_not_flushed(ulong seed)
    {
        var unlucky = new FaultyDevice(new MemoryDevice(16), new SeededEntropy(seed), hasVolatileCache: true);
        var written = Enumerable.Repeat((byte)1, 16 * BlockSize).ToArray();
        await unlucky.WriteAsync(Lba.Zero, written);
        await unlucky.FlushAsync();
        written.AsSpan().Fill(2);
        await unlucky.WriteAsync(new Lba(4), written.AsMemory(0, 8 * BlockSize));
        await unlucky.WriteAsync(new Lba(4), written.AsMemory(0, BlockSize), WriteOptions.ForceUnitAccess);
        await unlucky.CutPowerAsync();

        var content = new byte[16 * BlockSize];
        await unlucky.ReadAsync(Lba.Zero, content);
        Assert.All(content[..(4 * BlockSize)].Concat(content[(12 * BlockSize)..]), value => Assert.Equal(1, value));
        Assert.All(content[(4 * BlockSize)..(5 * BlockSize)], value => Assert.Equal(2, value));
        Assert.Contains((byte)1, content[(5 * BlockSize)..(12 * BlockSize)]);
    }

    [Fact]
    public async Task A_lost_flush_succeeds_and_keeps_nothing()
    {
        await device.FlushAsync();
        device.Add(DeviceFault.LostFlushes());
        await device.WriteAsync(Lba.Zero, Enumerable.Repeat((byte)1, 16 * BlockSize).ToArray());
        await device.FlushAsync();
        await device.CutPowerAsync();
        Assert.Contains((byte)0, await Read(0, 16));
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_faults()
    {
        var first = await Run();
        Assert.Equal(first, await Run());
        Assert.InRange(first.Count(struck => struck), 20, 80);

        static async Task<List<bool>> Run()
        {
            var device = new FaultyDevice(new MemoryDevice(16), new SeededEntropy(5));
            var fault = device.Add(new DeviceFault { Kind = DeviceFaultKind.Error, Probability = 0.5 });
            List<bool> struck = [];
            for (var i = 0; i < 100; i++)
            {
                var before = fault.Hits;
                try
                {
                    await device.FlushAsync();
                }
                catch (DeviceIOException)
                {
                    // Told by the hits.
                }
                struck.Add(fault.Hits > before);
            }
            return struck;
        }
    }

    static byte[] Filled(byte value) => Enumerable.Repeat(value, BlockSize).ToArray();

    async Task<byte[]> Read(long block, int count)
    {
        var buffer = new byte[count * BlockSize];
        await device.ReadAsync(new Lba(block), buffer);
        return buffer;
    }
}
