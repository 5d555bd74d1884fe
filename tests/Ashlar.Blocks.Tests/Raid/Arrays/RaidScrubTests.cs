using Ashlar.Blocks.Raid;

namespace Ashlar.Blocks.Tests.Raid.Arrays;

/// <summary>What a scrub makes of what it finds, and what there is for it to find.</summary>
public sealed class RaidScrubTests
{
    [Theory]
    [InlineData(RaidLevel.Raid1, 2)]
    [InlineData(RaidLevel.Raid10, 4)]
    [InlineData(RaidLevel.Raid5, 3)]
    [InlineData(RaidLevel.Raid5, 5)]
    public async Task What_nothing_tells_of_is_left_for_whoever_can_tell(RaidLevel level, int members)
    {
        var bench = new ArrayBench(level, members);
        await using var array = await bench.CreateAsync();
        await bench.ChangeAsync(array, steps: 60, seed: 31);
        await array.FlushAsync();
        await bench.RotAsync(members: 1, seed: 32);
        array.StartScrub(isRepairing: true);
        await array.WaitForBackgroundAsync();
        Assert.Equal((2, 0, 2), (array.Scrub.Inconsistent, array.Scrub.Repaired, array.Scrub.Uncertain));
        array.StartScrub(isRepairing: true, oracle: bench);
        await array.WaitForBackgroundAsync();
        Assert.Equal((2, 2, 0), (array.Scrub.Inconsistent, array.Scrub.Repaired, array.Scrub.Uncertain));
        await bench.CheckAsync(array);
        await bench.CheckCopiesAsync(array);
    }

    [Fact]
    public async Task A_scrub_that_is_to_rest_rests_and_holds_up_no_rebuild()
    {
        var bench = new ArrayBench(RaidLevel.Raid5, 3);
        await using var array = await bench.CreateAsync();
        await bench.ChangeAsync(array, steps: 20, seed: 37);
        await array.FlushAsync();
        var (rests, bytes) = (true, 0L);
        var run = array.StartScrub(pace: read =>
        {
            Interlocked.Add(ref bytes, read);
            return Volatile.Read(ref rests) ? TimeSpan.FromSeconds(1) : TimeSpan.Zero;
        });
        for (var i = 0; i < 500 && Interlocked.Read(ref bytes) == 0; i++) await Task.Delay(10);
        await Task.Delay(50);
        Assert.Equal((ArrayBench.ChunkBytes, 3L * ArrayBench.ChunkBytes), (array.Scrub.DoneBytes, Interlocked.Read(ref bytes)));
        Assert.True(await array.TryFailAsync(0, "test"));
        await array.AddAsync(0, ArrayBench.Fresh());
        for (var i = 0; i < 500 && array.State != RaidArrayState.Healthy; i++) await Task.Delay(10);
        Assert.Equal(RaidArrayState.Healthy, array.State);
        Assert.False(array.Scrub.IsFinished);
        Volatile.Write(ref rests, false);
        await array.WaitForBackgroundAsync();
        Assert.Equal((run, true), (array.Scrub.Run, array.Scrub.IsFinished));
        await bench.CheckAsync(array);
    }

    [Fact]
    public async Task Two_chunks_of_a_stripe_that_two_parities_cannot_tell_apart_are_left()
    {
        var bench = new ArrayBench(RaidLevel.Raid6, 6);
        await using var array = await bench.CreateAsync();
        await bench.ChangeAsync(array, steps: 60, seed: 33);
        await array.FlushAsync();
        await bench.RotAsync(members: 2, seed: 34);
        var before = bench.Fork();
        array.StartScrub(isRepairing: true);
        await array.WaitForBackgroundAsync();
        Assert.Equal(2, array.Scrub.Inconsistent);
        Assert.Equal(2, array.Scrub.Repaired + array.Scrub.Uncertain);
        Assert.True(array.Scrub.Uncertain > 0);
        var superblock = await new SuperblockPair(bench.Faulty[0]).ReadAsync();
        var (was, now) = (new byte[superblock.Areas.DataBytes], new byte[superblock.Areas.DataBytes]);
        var start = new Lba(superblock.Areas.DataAt / ArrayBench.BlockBytes);
        var changed = 0;
        for (var number = 0; number < before.Length; number++)
        {
            await before[number].ReadAsync(start, was);
            await bench.Faulty[number].ReadAsync(start, now);
            if (!was.AsSpan().SequenceEqual(now)) changed++;
        }

        Assert.Equal(array.Scrub.Repaired, changed); // One chunk each.
    }

    [Fact]
    public async Task A_rebuild_clears_nothing_that_a_missing_member_has()
    {
        var bench = new ArrayBench(RaidLevel.Raid6, 5);
        var array = await bench.CreateAsync();
        await bench.WriteAsync(array, 0, (int)array.Geometry.BlockCount, seed: 35);
        await array.DisposeAsync();
        var fresh = ArrayBench.Fresh();
        array = await RaidArray.OpenAsync([.. bench.Faulty.Skip(2)], new RaidOptions { Allocated = new FirstBlocks(30) });
        await array.AddAsync(0, fresh);
        await array.WaitForBackgroundAsync();
        await array.DisposeAsync();
        await using var whole = await RaidArray.OpenAsync([fresh, .. bench.Faulty.Skip(1)]);
        await whole.WaitForBackgroundAsync();
        Assert.Equal(RaidArrayState.Healthy, whole.State);
        whole.StartScrub(isRepairing: false);
        await whole.WaitForBackgroundAsync();
        Assert.Equal((0, true), (whole.Scrub.Inconsistent, whole.Scrub.IsFinished));
    }
}
