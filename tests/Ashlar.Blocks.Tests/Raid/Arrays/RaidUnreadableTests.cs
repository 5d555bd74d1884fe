using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;

namespace Ashlar.Blocks.Tests.Raid.Arrays;

/// <summary>A stripe that cannot be calculated holds up nothing else, and is not taken for what it is not.</summary>
public sealed class RaidUnreadableTests
{
    const int BlocksPerChunk = ArrayBench.ChunkBytes / ArrayBench.BlockBytes;

    [Theory]
    [InlineData(RaidLevel.Raid1, 2)]
    [InlineData(RaidLevel.Raid5, 3)]
    [InlineData(RaidLevel.Raid6, 4)]
    public async Task A_rebuild_goes_on_behind_what_cannot_be_calculated_and_ends_when_it_can(RaidLevel level, int members)
    {
        var bench = new ArrayBench(level, members);
        var array = await bench.CreateAsync();
        await bench.WriteAsync(array, 0, (int)array.Geometry.BlockCount, seed: 51);
        await array.DisposeAsync();
        var spared = level == RaidLevel.Raid6 ? 2 : 1;
        var fault = await MakeUnreadableAsync(bench.Faulty[^1], stripe: 5);
        var fresh = ArrayBench.Fresh();
        var events = new List<RaidEvent>();
        array = await RaidArray.OpenAsync([.. bench.Faulty.Skip(spared)], new RaidOptions { Events = e => Note(events, e) });
        await array.AddAsync(0, fresh);
        await array.WaitForBackgroundAsync();
        RequireAllButOne(array);
        Assert.Single(events, e => e.Kind == RaidEventKind.RebuildFailed);
        await RequireReadableAsync(bench, array, but: 5);

        array.StartScrub(isRepairing: false); // It waits for nothing.
        await array.WaitForBackgroundAsync();
        Assert.True(array.Scrub.IsFinished);
        await array.DisposeAsync();
        array = await RaidArray.OpenAsync([fresh, .. bench.Faulty.Skip(spared)]);
        await array.WaitForBackgroundAsync();
        RequireAllButOne(array);
        bench.Faulty[^1].Remove(fault);
        array.StartScrub(isRepairing: false);
        await array.WaitForBackgroundAsync();
        Assert.Equal((MemberState.InSync, null), (array.Members[0].State, array.Members[0].Failure));
        await bench.CheckAsync(array);
        await array.DisposeAsync();
    }

    [Fact]
    public async Task A_stripe_that_is_written_anew_can_be_calculated()
    {
        var bench = new ArrayBench(RaidLevel.Raid5, 3);
        var array = await bench.CreateAsync();
        await bench.WriteAsync(array, 0, (int)array.Geometry.BlockCount, seed: 52);
        await array.DisposeAsync();
        var fault = await MakeUnreadableAsync(bench.Faulty[2], stripe: 5);
        array = await RaidArray.OpenAsync([.. bench.Faulty.Skip(1)], new RaidOptions { RetryInterval = TimeSpan.FromMilliseconds(50) });
        await array.AddAsync(0, ArrayBench.Fresh());
        await array.WaitForBackgroundAsync();
        RequireAllButOne(array);
        bench.Faulty[2].Remove(fault);
        for (var i = 0; i < 500 && array.State != RaidArrayState.Healthy; i++) await Task.Delay(20);
        Assert.Equal(RaidArrayState.Healthy, array.State);
        await bench.CheckAsync(array);
        await bench.CheckCopiesAsync(array);
        await array.DisposeAsync();
    }

    [Fact]
    public async Task A_replacement_that_cannot_be_given_all_waits_holds_up_nothing_and_can_be_given_up()
    {
        var bench = new ArrayBench(RaidLevel.Raid1, 3);
        var array = await bench.CreateAsync();
        await bench.WriteAsync(array, 0, (int)array.Geometry.BlockCount, seed: 53);
        await array.DisposeAsync();
        var fault = await MakeUnreadableAsync(bench.Faulty[2], stripe: 5);
        array = await RaidArray.OpenAsync([bench.Faulty[2]]);
        var (first, second) = (ArrayBench.Fresh("first"), ArrayBench.Fresh("second"));
        await array.ReplaceAsync(2, first);
        await array.WaitForBackgroundAsync();
        var waiting = array.Members[2].Replacement;
        Assert.NotNull(waiting?.Failure);
        Assert.Equal(array.Members[2].DataBytes - ArrayBench.ChunkBytes, waiting.CopiedBytes);
        await RequireReadableAsync(bench, array, but: 5);
        array.FailReplacement(2, "not wanted any more");
        await array.WaitForBackgroundAsync();
        Assert.Null(array.Members[2].Replacement);
        Assert.True(await array.ReleaseAsync(first));
        await array.ReplaceAsync(2, second);
        await array.WaitForBackgroundAsync();
        bench.Faulty[2].Remove(fault);
        array.StartScrub(isRepairing: false);
        await array.WaitForBackgroundAsync();
        Assert.Equal("second", array.Members[2].Device);
        await bench.CheckAsync(array);
        await array.DisposeAsync();
    }

    [Fact]
    public async Task A_scrub_that_does_not_come_to_its_end_says_so()
    {
        var bench = new ArrayBench(RaidLevel.Raid1, 2);
        var array = await bench.CreateAsync();
        await array.DisposeAsync();
        array = await RaidArray.OpenAsync(bench.Faulty, new RaidOptions { BackgroundBytesPerSecond = ArrayBench.ChunkBytes * 50 });
        var run = array.StartScrub();
        while (array.Scrub.DoneBytes == 0) await Task.Delay(10);
        await array.DisposeAsync();
        Assert.Equal((run, false, false), (array.Scrub.Run, array.Scrub.IsFinished, array.Scrub.IsRunning));
        Assert.NotNull(array.Scrub.Failure);
    }

    static async Task<DeviceFault> MakeUnreadableAsync(FaultyDevice disk, int stripe)
    {
        var areas = (await new SuperblockPair(disk).ReadAsync()).Areas;
        return disk.Add(new DeviceFault
        {
            Kind = DeviceFaultKind.BadBlock,
            Operations = [DriverOperation.Read],
            Start = new Lba((areas.DataAt / ArrayBench.BlockBytes) + (stripe * BlocksPerChunk) + 3),
            BlockCount = 1,
        });
    }

    static void RequireAllButOne(RaidArray array)
    {
        var member = array.Members[0];
        Assert.Equal((MemberState.Rebuilding, member.DataBytes - ArrayBench.ChunkBytes), (member.State, member.RebuiltBytes));
        Assert.NotNull(member.Failure);
    }

    static async Task RequireReadableAsync(ArrayBench bench, RaidArray array, int but)
    {
        var stripeBlocks = array.Geometry.OptimalTransferBytes / ArrayBench.BlockBytes;
        var block = new byte[ArrayBench.BlockBytes];
        var refused = 0;
        for (var number = 0L; number < array.Geometry.BlockCount; number++)
        {
            try
            {
                await array.ReadAsync(new Lba(number), block);
                Assert.True(bench.IsRight(new Lba(number), block), $"block {number}");
            }
            catch (BlockDeviceException)
            {
                refused++;
                Assert.Equal(but, number / stripeBlocks);
            }
        }

        Assert.True(refused > 0); // No junk in its place.
    }

    static void Note(List<RaidEvent> events, RaidEvent e)
    {
        lock (events) events.Add(e);
    }
}
