using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Simulation;

namespace Ashlar.Blocks.Tests.Raid.Arrays;

/// <summary>A device that is to have a member's place has it in the end, whatever comes between.</summary>
public sealed class RaidReplacementTests
{
    // No stripe is copied after the first one until time passes.
    readonly SimulatedClock clock = new();

    [Theory]
    [InlineData(RaidLevel.Raid1, 2, true)]
    [InlineData(RaidLevel.Raid1, 2, false)]
    [InlineData(RaidLevel.Raid5, 3, true)]
    [InlineData(RaidLevel.Raid5, 3, false)]
    public async Task A_replacement_that_was_under_way_is_taken_up_when_the_set_is_opened_again(RaidLevel level, int members, bool isClosed)
    {
        var (bench, array, fresh) = await BeginAsync(level, members);
        IBlockDevice[] disks = [.. bench.Fork(), ArrayBench.Copy(fresh)];
        var closing = array.DisposeAsync().AsTask();
        for (; !closing.IsCompleted; await Task.Delay(1)) clock.Advance(TimeSpan.FromDays(1));
        await closing;
        if (isClosed) disks = [.. bench.Fork(), ArrayBench.Copy(fresh)];

        await FinishAsync(bench, disks);
    }

    [Fact]
    public async Task A_device_whose_place_not_all_know_of_after_a_crash_is_made_a_copy_again()
    {
        var gate = new GatedDevice(ArrayBench.Fresh("gated"));
        var (bench, array, fresh) = await BeginAsync(RaidLevel.Raid1, 2, gate);
        gate.Close();
        for (; !gate.Reached.IsCompleted; await Task.Delay(1)) clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, (await new SuperblockPair(fresh).ReadAsync()).Place);
        IBlockDevice[] disks = [ArrayBench.Copy(gate), ArrayBench.Copy(bench.Faulty[1]), ArrayBench.Copy(fresh)];
        gate.Open();
        await array.DisposeAsync();
        await FinishAsync(bench, disks);
    }

    [Fact]
    public async Task A_replacement_whose_member_is_missing_is_a_spare()
    {
        var (bench, array, fresh) = await BeginAsync(RaidLevel.Raid5, 3);
        IBlockDevice[] disks = [.. bench.Fork(), ArrayBench.Copy(fresh)];
        var closing = array.DisposeAsync().AsTask();
        for (; !closing.IsCompleted; await Task.Delay(1)) clock.Advance(TimeSpan.FromDays(1));
        await using var opened = await RaidArray.OpenAsync([disks[0], disks[2], disks[3]]);
        await opened.WaitForBackgroundAsync();
        Assert.Equal((RaidArrayState.Healthy, "fresh"), (opened.State, opened.Members[1].Device));
        await bench.CheckAsync(opened);
    }

    async Task<(ArrayBench Bench, RaidArray Array, FaultyDevice Fresh)> BeginAsync(
        RaidLevel level, int members, IBlockDevice? first = null)
    {
        var (bench, fresh) = (new ArrayBench(level, members), ArrayBench.Fresh());
        var array = await bench.CreateAsync(first, new() { TimeProvider = clock, BackgroundBytesPerSecond = 1 });
        await bench.ChangeAsync(array, steps: 20, seed: 3);
        await array.FlushAsync();
        await array.ReplaceAsync(1, fresh);
        Assert.Equal("fresh", array.Members[1].Replacement?.Device);
        return (bench, array, fresh);
    }

    static async Task FinishAsync(ArrayBench bench, IBlockDevice[] disks)
    {
        await using (var opened = await RaidArray.OpenAsync(disks))
        {
            Assert.DoesNotContain(opened.Members, member => member.State == MemberState.Spare);
            await opened.WaitForBackgroundAsync();
            Assert.Equal((RaidArrayState.Healthy, "fresh"), (opened.State, opened.Members[1].Device));
            await bench.CheckAsync(opened);
            await bench.CheckCopiesAsync(opened);
            disks = [.. disks.Where((_, number) => number != 1).Select(ArrayBench.Copy)];
        }

        await using var without = await RaidArray.OpenAsync(disks);
        Assert.Equal(RaidArrayState.Healthy, without.State);
        foreach (var disk in disks) Assert.Null((await new SuperblockPair(disk).ReadAsync()).Replaces);
    }
}
