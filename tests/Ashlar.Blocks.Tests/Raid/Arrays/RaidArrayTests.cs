using Ashlar.Blocks.Contract;
using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Simulation;

namespace Ashlar.Blocks.Tests.Raid.Arrays;

public sealed class Raid0ArrayContractTests() : RaidArrayContract(RaidLevel.Raid0, 3);

public sealed class Raid1ArrayContractTests() : RaidArrayContract(RaidLevel.Raid1, 2);

public sealed class Raid5ArrayContractTests() : RaidArrayContract(RaidLevel.Raid5, 4);

public sealed class Raid6ArrayContractTests() : RaidArrayContract(RaidLevel.Raid6, 5);

public sealed class Raid10ArrayContractTests() : RaidArrayContract(RaidLevel.Raid10, 4);

public sealed class DegradedRaid5ArrayContractTests() : RaidArrayContract(RaidLevel.Raid5, 4, lost: 2);

public sealed class DegradedRaid6ArrayContractTests() : RaidArrayContract(RaidLevel.Raid6, 5, lost: 0);

/// <summary>A set that is kept on its members is a device like any other.</summary>
public abstract class RaidArrayContract(RaidLevel level, int members, int lost = -1) : BlockDeviceContract
{
    protected override async ValueTask<IBlockDevice> CreateAsync()
    {
        IBlockDevice[] disks = [.. Enumerable.Range(0, members).Select(i => new MemoryDevice(4000, 512, $"disk{i}"))];
        var array = await RaidArray.CreateAsync(disks, new RaidCreateOptions { Level = level, ChunkBytes = 4096 });
        if (lost < 0) return array;
        await array.DisposeAsync();
        return await RaidArray.OpenAsync([.. disks.Where((_, i) => i != lost)]);
    }
}

/// <summary>What was written is there after restarts, with members that fail, leave, come back and are replaced.</summary>
public sealed class RaidArrayTests
{
    public static TheoryData<RaidLevel, int> Shapes => new()
    {
        { RaidLevel.Raid1, 2 },
        { RaidLevel.Raid1, 3 },
        { RaidLevel.Raid5, 3 },
        { RaidLevel.Raid5, 5 },
        { RaidLevel.Raid6, 4 },
        { RaidLevel.Raid6, 6 },
        { RaidLevel.Raid10, 4 },
    };

    [Theory, MemberData(nameof(Shapes))]
    public async Task What_was_written_is_there_after_a_restart_and_after_every_loss(RaidLevel level, int members)
    {
        var bench = new ArrayBench(level, members);
        var array = await bench.CreateAsync();
        await bench.ChangeAsync(array, steps: 40, seed: 1);
        await bench.CheckAsync(array);
        await array.DisposeAsync();
        foreach (var lost in (int[])[0, 1, members - 1])
        {
            var copies = bench.Fork();
            await using var opened = await RaidArray.OpenAsync([.. copies.Where((_, i) => i != lost).Reverse()]);
            Assert.Equal(RaidArrayState.Degraded, opened.State);
            await bench.CheckAsync(opened);
        }

        await using var whole = await RaidArray.OpenAsync(bench.Fork());
        Assert.Equal(RaidArrayState.Healthy, whole.State);
        await bench.CheckAsync(whole);
        await bench.CheckCopiesAsync(whole);
    }

    [Theory, MemberData(nameof(Shapes))]
    public async Task A_member_that_failed_is_known_to_be_old_after_a_crash(RaidLevel level, int members)
    {
        foreach (var failing in (int[])[0, members - 1])
        {
            var bench = new ArrayBench(level, members);
            var array = await bench.CreateAsync();
            await bench.ChangeAsync(array, steps: 5, seed: 2);
            bench.Faulty[failing].Add(new DeviceFault { Operations = [DriverOperation.Write], Kind = DeviceFaultKind.Error });
            await bench.ChangeAsync(array, steps: 20, seed: 3);
            await array.FlushAsync();
            Assert.Equal(MemberState.Missing, array.Members[failing].State);
            Assert.Contains(bench.Events, e => e.Kind == RaidEventKind.MemberFailed && e.Place == failing);
            var copies = bench.Fork(); // As a crash leaves them, all back.
            await using var opened = await RaidArray.OpenAsync(copies);
            await bench.CheckAsync(opened);
            await opened.WaitForBackgroundAsync();
            Assert.Equal(RaidArrayState.Healthy, opened.State);
            await bench.CheckAsync(opened);
            await bench.CheckCopiesAsync(opened);
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public async Task A_spare_steps_in_by_itself_while_the_set_is_written(RaidLevel level, int members)
    {
        var bench = new ArrayBench(level, members, spares: 1);
        var array = await bench.CreateAsync();
        await bench.ChangeAsync(array, steps: 20, seed: 4);
        bench.Faulty[1].Add(new DeviceFault { Operations = [DriverOperation.Write, DriverOperation.Flush], Kind = DeviceFaultKind.Error });
        await bench.ChangeAsync(array, steps: 40, seed: 5);
        await array.FlushAsync();
        await array.WaitForBackgroundAsync();
        Assert.Equal(RaidArrayState.Healthy, array.State);
        Assert.Equal($"disk{members}", array.Members[1].Device);
        await bench.CheckAsync(array);
        await bench.CheckCopiesAsync(array);
        await array.DisposeAsync();
        await using var opened = await RaidArray.OpenAsync(bench.Fork());
        Assert.Equal(RaidArrayState.Healthy, opened.State);
        await bench.CheckAsync(opened);
        await bench.CheckCopiesAsync(opened);
    }

    [Theory, MemberData(nameof(Shapes))]
    public async Task A_member_that_was_away_is_given_only_what_it_missed(RaidLevel level, int members)
    {
        var bench = new ArrayBench(level, members);
        var array = await bench.CreateAsync();
        await bench.ChangeAsync(array, steps: 20, seed: 6);
        await array.DisposeAsync();
        await using (var without = await RaidArray.OpenAsync([.. bench.Faulty.Skip(1)]))
        {
            // One region of many.
            await bench.WriteAsync(without, 0, 1, seed: 7);
            await without.FlushAsync();
        }

        var before = bench.Faulty[0].GetStatistics().BytesWritten;
        await using var opened = await RaidArray.OpenAsync(bench.Faulty);
        await opened.WaitForBackgroundAsync();
        Assert.Equal(RaidArrayState.Healthy, opened.State);
        var written = bench.Faulty[0].GetStatistics().BytesWritten - before;
        Assert.True(written < 300_000, $"{written}"); // Of 2 MiB.
        await bench.CheckAsync(opened);
        await bench.CheckCopiesAsync(opened);
    }

    [Theory, MemberData(nameof(Shapes))]
    public async Task A_rebuild_goes_on_after_a_crash_where_it_was(RaidLevel level, int members)
    {
        var bench = new ArrayBench(level, members);
        var array = await bench.CreateAsync();
        await bench.ChangeAsync(array, steps: 20, seed: 8);
        await array.DisposeAsync();
        var fresh = new MemoryDevice(ArrayBench.BlockCount, 512, "fresh");
        var slow = new RaidOptions { BackgroundBytesPerSecond = 512 * 1024, RebuildStepBytes = 65536 };
        array = await RaidArray.OpenAsync([.. bench.Faulty.Skip(1)], slow);
        await array.AddAsync(0, fresh);
        while (array.Members[0].RebuiltBytes < 150_000) await Task.Delay(10);
        await bench.ChangeAsync(array, steps: 20, seed: 9);
        Assert.Equal(RaidArrayState.Rebuilding, array.State);
        Assert.NotNull(array.Members[0].TimeLeft);
        await array.FlushAsync();
        // The rebuild goes on meanwhile: what the others say of it must not be newer than what it has done.
        var others = bench.Fork();
        var crashed = (IBlockDevice[])[ArrayBench.Copy(fresh), .. others.Skip(1)];
        await array.DisposeAsync();
        await using var opened = await RaidArray.OpenAsync(crashed);
        Assert.True(opened.Members[0].RebuiltBytes >= 65536 || opened.State == RaidArrayState.Healthy);
        await bench.CheckAsync(opened);
        await opened.WaitForBackgroundAsync();
        Assert.Equal(RaidArrayState.Healthy, opened.State);
        await bench.CheckAsync(opened);
        await bench.CheckCopiesAsync(opened);
    }

    [Theory, MemberData(nameof(Shapes))]
    public async Task A_spare_that_fails_harms_nobody_else(RaidLevel level, int members)
    {
        var bench = new ArrayBench(level, members, spares: 2);
        var array = await bench.CreateAsync();
        await bench.ChangeAsync(array, steps: 20, seed: 10);
        bench.Faulty[members].Add(new DeviceFault { Operations = [DriverOperation.Write], Kind = DeviceFaultKind.Error, Skip = 40 });
        bench.Faulty[0].Add(new DeviceFault { Operations = [DriverOperation.Write], Kind = DeviceFaultKind.Error });
        await bench.ChangeAsync(array, steps: 30, seed: 11);
        await array.FlushAsync();
        await array.WaitForBackgroundAsync();
        Assert.Equal(RaidArrayState.Healthy, array.State);
        Assert.Equal($"disk{members + 1}", array.Members[0].Device);
        Assert.Contains(bench.Events, e => e.Kind == RaidEventKind.RebuildFailed);
        await bench.CheckAsync(array);
        await bench.CheckCopiesAsync(array);
        await array.DisposeAsync();
    }

    [Theory, MemberData(nameof(Shapes))]
    public async Task A_scrub_finds_what_rotted_and_makes_it_right_where_that_can_be_told(RaidLevel level, int members)
    {
        var bench = new ArrayBench(level, members);
        var array = await bench.CreateAsync();
        await bench.ChangeAsync(array, steps: 40, seed: 12);
        await array.FlushAsync();
        array.StartScrub();
        await array.WaitForBackgroundAsync();
        Assert.Equal((0, 0, 0), (array.Scrub.Inconsistent, array.Scrub.Unreadable, array.Scrub.Repaired));
        await bench.RotAsync(members: 1, seed: 13);
        array.StartScrub(isRepairing: true, oracle: level == RaidLevel.Raid6 ? null : bench);
        await array.WaitForBackgroundAsync();
        Assert.False(array.Scrub.IsRunning);
        Assert.Equal(2, array.Scrub.Inconsistent);
        Assert.Equal((2, 0), (array.Scrub.Repaired, array.Scrub.Uncertain));
        await bench.CheckAsync(array);
        await bench.CheckCopiesAsync(array);
        await array.DisposeAsync();
    }

    [Theory, MemberData(nameof(Shapes))]
    public async Task Whoever_knows_checksums_finds_the_right_copy_and_mends_the_others(RaidLevel level, int members)
    {
        var bench = new ArrayBench(level, members);
        var array = await bench.CreateAsync();
        await bench.ChangeAsync(array, steps: 60, seed: 14);
        await array.FlushAsync();
        await bench.RotAsync(members: level == RaidLevel.Raid6 ? 2 : 1, seed: 15);
        var block = new byte[512];
        for (var number = 0; number < array.Geometry.BlockCount; number++)
        {
            var (right, isWrong) = ((byte[]?)null, false);
            for (var copy = 0; copy < array.CopyCount; copy++)
            {
                if (!await array.ReadCopyAsync(new Lba(number), block, copy)) continue;
                if (bench.IsRight(new Lba(number), block) == true) right = [.. block];
                else isWrong = true;
            }

            Assert.True(right is not null, $"block {number}");
            if (isWrong) await array.RewriteAsync(new Lba(number), right);
        }

        await bench.CheckAsync(array);
        await array.DisposeAsync();
    }

    [Theory, MemberData(nameof(Shapes))]
    public async Task A_member_is_replaced_without_giving_up_redundancy(RaidLevel level, int members)
    {
        var bench = new ArrayBench(level, members);
        var array = await bench.CreateAsync();
        await bench.ChangeAsync(array, steps: 20, seed: 17);
        var bad = bench.Faulty[1].Add(
            new DeviceFault { Operations = [DriverOperation.Read], Kind = DeviceFaultKind.Error, Probability = 0.2 });
        var fresh = new MemoryDevice(ArrayBench.BlockCount, 512, "fresh");
        await array.ReplaceAsync(1, fresh);
        Assert.Equal(RaidArrayState.Healthy, array.State);
        await bench.ChangeAsync(array, steps: 30, seed: 18);
        await array.WaitForBackgroundAsync();
        bench.Faulty[1].Remove(bad);
        Assert.Equal("fresh", array.Members[1].Device);
        Assert.DoesNotContain(bench.Events, e => e.Kind == RaidEventKind.MemberFailed);
        await bench.ChangeAsync(array, steps: 10, seed: 19);
        await bench.CheckAsync(array);
        await bench.CheckCopiesAsync(array);
        await array.DisposeAsync();
        await using var opened = await RaidArray.OpenAsync([.. bench.Fork(), ArrayBench.Copy(fresh)]);
        Assert.Equal((RaidArrayState.Healthy, "fresh"), (opened.State, opened.Members[1].Device));
        await bench.CheckCopiesAsync(opened);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_replacement_that_fails_harms_nobody_and_one_whose_member_fails_takes_its_place(bool isReplacementBad)
    {
        var bench = new ArrayBench(RaidLevel.Raid5, 3);
        var array = await bench.CreateAsync();
        await bench.ChangeAsync(array, steps: 20, seed: 20);
        var fresh = new FaultyDevice(new MemoryDevice(ArrayBench.BlockCount, 512, "fresh"), new SeededEntropy(1));
        (isReplacementBad ? fresh : bench.Faulty[1]).Add(
            new DeviceFault { Operations = [DriverOperation.Write], Kind = DeviceFaultKind.Error, Skip = isReplacementBad ? 60 : 8 });
        await array.ReplaceAsync(1, fresh);
        await bench.ChangeAsync(array, steps: 30, seed: 21);
        await array.WaitForBackgroundAsync();
        await array.FlushAsync();
        await array.WaitForBackgroundAsync();
        Assert.Equal(isReplacementBad ? "disk1" : "fresh", array.Members[1].Device);
        Assert.Equal(RaidArrayState.Healthy, array.State);
        await bench.CheckAsync(array);
        await bench.CheckCopiesAsync(array);
        await array.DisposeAsync();
    }

    [Fact]
    public async Task Only_what_is_allocated_is_rebuilt()
    {
        var bench = new ArrayBench(RaidLevel.Raid5, 4);
        var array = await bench.CreateAsync();
        await bench.WriteAsync(array, 0, 30, seed: 16);
        await array.DisposeAsync();
        array = await RaidArray.OpenAsync([.. bench.Faulty.Skip(1)], new RaidOptions { Allocated = new FirstBlocks(30) });
        var read = bench.Faulty[1].GetStatistics().BytesRead;
        await array.AddAsync(0, new MemoryDevice(ArrayBench.BlockCount, 512, "fresh"));
        await array.WaitForBackgroundAsync();
        Assert.Equal(RaidArrayState.Healthy, array.State);
        Assert.True(bench.Faulty[1].GetStatistics().BytesRead - read < 100_000);
        await bench.CheckAsync(array);
        await bench.CheckCopiesAsync(array);
        await array.DisposeAsync();
    }
}
