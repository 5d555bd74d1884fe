using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Raid.Arrays;

/// <summary>Many at once: each finds what it wrote, whatever goes on below; and requests leave no garbage.</summary>
public sealed class RaidLoadTests
{
    const int Writers = 6, BlockBytes = 512, BlockCount = 2400;

    [Theory]
    [InlineData(RaidLevel.Raid1, 2)]
    [InlineData(RaidLevel.Raid5, 3)]
    [InlineData(RaidLevel.Raid6, 4)]
    [InlineData(RaidLevel.Raid10, 4)]
    public async Task Writers_find_what_they_wrote_while_members_fail_are_rebuilt_and_replaced(RaidLevel level, int members)
    {
        FaultyDevice[] disks =
        [
            .. Enumerable.Range(0, members + 1).Select(
                i => new FaultyDevice(new MemoryDevice(BlockCount, BlockBytes, $"disk{i}"), new SeededEntropy((ulong)i))),
        ];
        var array = await RaidArray.CreateAsync(
            disks, new RaidCreateOptions { Level = level, ChunkBytes = 4096, SpareCount = 1, RegionBytes = 32768, BusyBytesPerSecond = 0 });
        var delay = TimeSpan.FromMilliseconds(1);
        foreach (var disk in disks) disk.Add(new DeviceFault { Kind = DeviceFaultKind.Delay, Delay = delay, Probability = 0.02 });
        disks[1].Add(new DeviceFault { Operations = [DriverOperation.Write], Kind = DeviceFaultKind.Error, Skip = 150 });
        var model = new byte[array.Geometry.SizeBytes];
        // Every writer has blocks of its own in every stripe.
        var writers = Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            for (var round = 0; round < 120; round++)
            {
                var block = (random.Next((int)array.Geometry.BlockCount / Writers) * Writers) + writer;
                var content = model.AsMemory(block * BlockBytes, BlockBytes);
                var (isZero, isDurable) = (random.Next(12) == 0, random.Next(12) == 0);
                if (isZero) content.Span.Clear();
                else random.NextBytes(content.Span);
                if (isZero) await array.TrimAsync(new Lba(block), 1);
                else await array.WriteAsync(new Lba(block), content, isDurable ? WriteOptions.ForceUnitAccess : WriteOptions.None);
                if (random.Next(10) == 0) await array.FlushAsync();
                var read = new byte[BlockBytes];
                await array.ReadAsync(new Lba(block), read);
                Assert.True(content.Span.SequenceEqual(read), $"writer {writer}, round {round}, block {block}");
            }
        })).ToArray();
        await array.ReplaceAsync(0, new MemoryDevice(BlockCount, BlockBytes, "fresh"));
        array.StartScrub();
        await Task.WhenAll(writers);
        await array.FlushAsync();
        await array.WaitForBackgroundAsync();
        Assert.Equal(RaidArrayState.Healthy, array.State);
        Assert.Equal(0, array.Scrub.Inconsistent);
        var all = new byte[model.Length];
        for (var copy = 0; copy < array.CopyCount; copy++)
        {
            Assert.True(await array.ReadCopyAsync(Lba.Zero, all, copy));
            Assert.True(model.AsSpan().SequenceEqual(all), $"copy {copy}");
        }

        await array.DisposeAsync();
    }

    [Theory]
    [InlineData(RaidLevel.Raid0, 3)]
    [InlineData(RaidLevel.Raid1, 2)]
    [InlineData(RaidLevel.Raid5, 4)]
    [InlineData(RaidLevel.Raid6, 5)]
    public async Task Requests_leave_no_garbage(RaidLevel level, int members)
    {
        IBlockDevice[] disks = [.. Enumerable.Range(0, members).Select(i => new MemoryDevice(BlockCount, BlockBytes, $"disk{i}"))];
        await using var array = await RaidArray.CreateAsync(disks, new RaidCreateOptions { Level = level, ChunkBytes = 4096 });
        var stripe = new byte[new RaidLayout(level, members).DataPerStripe * 4096];
        var block = new byte[BlockBytes];
        var garbage = AllocationMeter.LeastBytes(() =>
        {
            for (var i = 0; i < 50; i++)
            {
                Wait(array.WriteAsync(new Lba(i % 4 * stripe.Length / BlockBytes), stripe));
                Wait(array.ReadAsync(Lba.Zero, stripe));
                Wait(array.ReadAsync(new Lba(3), block));
            }
        });
        Assert.Equal(0, garbage);

        // Parts of a stripe wait in memory that is there already.
        Wait(array.WriteAsync(new Lba(200), block));
        Assert.Equal(0, AllocationMeter.LeastBytes(() =>
        {
            for (var i = 0; i < 50; i++) Wait(array.WriteAsync(new Lba(200), block));
        }));

        static void Wait(ValueTask call)
        {
            Assert.True(call.IsCompleted);
            call.GetAwaiter().GetResult();
        }
    }
}
