using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Simulation;

namespace Ashlar.Blocks.Tests.Raid.Arrays;

/// <summary>What a set does with the devices that it is made of, beside holding data on them.</summary>
public sealed class RaidDevicesTests
{
    const int ChunkBytes = 8192;

    [Theory]
    [InlineData(RaidLevel.Raid1, 2)]
    [InlineData(RaidLevel.Raid5, 3)]
    [InlineData(RaidLevel.Raid6, 4)]
    public async Task Members_keep_all_of_their_space(RaidLevel level, int members)
    {
        var disks = Disks(members);
        var options = Options(level) with { KeepsSpace = true, Allocated = new FirstBlocks(0) };
        await using var array = await RaidArray.CreateAsync(disks, options);
        await RequireSpaceAsync(disks);
        await array.TrimAsync(Lba.Zero, array.Geometry.BlockCount);
        await array.WriteZeroesAsync(Lba.Zero, array.Geometry.BlockCount);
        await RequireSpaceAsync(disks);
        Assert.True(await array.TryFailAsync(0, "test"));
        var second = Disk("second");
        await array.AddAsync(0, second);
        await array.WaitForBackgroundAsync();
        await RequireSpaceAsync([second, .. disks.Skip(1)]);
        var third = Disk("third");
        await array.ReplaceAsync(1, third);
        await array.WriteZeroesAsync(Lba.Zero, array.Geometry.BlockCount);
        await array.WaitForBackgroundAsync();
        Assert.Equal("third", array.Members[1].Device);
        await RequireSpaceAsync([second, third, .. disks.Skip(2)]);
    }

    [Fact]
    public async Task Members_that_need_not_keep_their_space_give_it_back()
    {
        var disks = Disks(3);
        await using var array = await RaidArray.CreateAsync(disks, Options(RaidLevel.Raid5));
        await array.WriteAsync(Lba.Zero, new byte[16 * ChunkBytes]);
        await array.FlushAsync();
        await array.TrimAsync(Lba.Zero, 16 * ChunkBytes / ArrayBench.BlockBytes);
        var areas = (await new SuperblockPair(disks[0]).ReadAsync()).Areas;
        Assert.Equal(8 * ChunkBytes / ArrayBench.BlockBytes, disks[0].CountHoles(areas.DataAt / 512, 8 * ChunkBytes / 512));
    }

    [Fact]
    public async Task What_the_set_does_not_use_any_more_is_handed_out()
    {
        var disks = Disks(3);
        var array = await RaidArray.CreateAsync(disks, Options(RaidLevel.Raid5));
        Assert.False(await array.ReleaseAsync(disks[1]));
        var (held, content) = (new TaskCompletionSource(), new byte[2 * ChunkBytes]);
        disks[1].Held = held;
        var read = array.ReadAsync(Lba.Zero, content).AsTask(); // Of all members with data of the stripe.
        Assert.True(await array.TryFailAsync(1, "test"));
        var released = array.ReleaseAsync(disks[1]).AsTask();
        Assert.False(released.IsCompleted);
        await array.WriteAsync(Lba.Zero, content); // The set goes on meanwhile.
        await array.FlushAsync();
        held.SetResult();
        await read;
        Assert.True(await released);
        Assert.False(await array.ReleaseAsync(disks[1]));
        Assert.Null(array.Members[1].Device);
        Assert.NotNull(array.Members[1].Failure);
        await disks[1].DisposeAsync();
        await array.ReadAsync(Lba.Zero, content);

        var (fourth, fifth) = (Disk("fourth"), Disk("fifth"));
        await array.AddAsync(1, fourth);
        await array.WaitForBackgroundAsync();
        await array.ReplaceAsync(0, fifth);
        await array.WaitForBackgroundAsync();
        Assert.Equal((RaidArrayState.Healthy, "fifth"), (array.State, array.Members[0].Device));
        Assert.True(await array.ReleaseAsync(disks[0]));
        await array.DisposeAsync();
        Assert.False(disks[0].IsDisposed);
        Assert.True(disks[2].IsDisposed && fourth.IsDisposed && fifth.IsDisposed);
    }

    [Theory]
    [InlineData(RaidLevel.Raid1, 2)]
    [InlineData(RaidLevel.Raid5, 3)]
    public async Task A_scrub_and_whoever_asks_for_it_read_the_media_of_all_members(RaidLevel level, int members)
    {
        var disks = Disks(members);
        await using var array = await RaidArray.CreateAsync(disks, Options(level));
        var areas = (await new SuperblockPair(disks[0]).ReadAsync()).Areas;
        foreach (var disk in disks) disk.ForgetDropped();
        array.StartScrub(isRepairing: false);
        await array.WaitForBackgroundAsync();
        foreach (var disk in disks)
        {
            Assert.Equal(0, disk.CountKept(areas.DataAt / 512, areas.DataBytes / 512));
            disk.ForgetDropped();
        }

        var all = array.Geometry.BlockCount;
        Assert.IsAssignableFrom<ICachingDevice>(array).DropCached(new Lba(1), all - 1);
        Assert.All(disks, disk => Assert.Equal(0, disk.CountKept(areas.DataAt / 512, areas.DataBytes / 512)));
        ((ICachingDevice)array).FlushInterval = TimeSpan.FromSeconds(3);
        Assert.All(disks, disk => Assert.Equal(TimeSpan.FromSeconds(3), disk.FlushInterval));
    }

    [Fact]
    public async Task A_spare_knows_that_the_set_was_closed()
    {
        var disks = Disks(2);
        var options = Options(RaidLevel.Raid1) with { Host = new RaidHost(Guid.NewGuid(), "here") };
        var array = await RaidArray.CreateAsync(disks, options);
        var spare = Disk("spare");
        await array.AddSpareAsync(spare);
        Assert.NotNull((await RaidArray.IdentifyAsync(spare))!.Holder);
        await array.DisposeAsync();
        Assert.Null((await RaidArray.IdentifyAsync(Reopened(spare)))!.Holder);
    }

    [Fact]
    public async Task A_spare_is_told_of_until_it_has_its_place()
    {
        var gate = new GatedDevice(Disk("gated"));
        var array = await RaidArray.CreateAsync([Disk("first"), gate, Disk("spare")], Options(RaidLevel.Raid1) with { SpareCount = 1 });
        gate.Close();
        var failing = array.TryFailAsync(0, "test").AsTask(); // The other one is told, which takes its time.
        await gate.Reached;
        array.StartScrub(); // What goes on in the background looks for a spare, and waits for that.
        for (var i = 0; i < 20; i++, await Task.Delay(10)) Assert.Single(array.Members, member => member.Device == "spare");
        gate.Open();
        Assert.True(await failing);
        await array.WaitForBackgroundAsync();
        Assert.Equal((RaidArrayState.Healthy, 2), (array.State, array.Members.Count));
        await array.DisposeAsync();
    }

    [Fact]
    public async Task Members_that_were_left_behind_do_not_make_the_set()
    {
        var bench = new ArrayBench(RaidLevel.Raid1, 2);
        var array = await bench.CreateAsync();
        await bench.ChangeAsync(array, steps: 5, seed: 41);
        var before = array.Generation;
        Assert.True(await array.TryFailAsync(0, "test"));
        await bench.ChangeAsync(array, steps: 5, seed: 42);
        var known = array.Generation;
        Assert.True(known > before);
        await array.DisposeAsync();
        var disks = bench.Fork();
        var options = new RaidOptions { LeastGeneration = known };
        var refused = await Assert.ThrowsAsync<RaidRefusedException>(async () => await RaidArray.OpenAsync([disks[0]], options));
        Assert.Equal(RaidRefusal.LeftBehind, refused.Reason);
        await using (var newer = await RaidArray.OpenAsync([disks[1]], options)) await bench.CheckAsync(newer);
        await using var older = await RaidArray.OpenAsync([disks[0]], options with { IsForced = true });
        Assert.Equal(RaidArrayState.Degraded, older.State);
    }

    static RaidCreateOptions Options(RaidLevel level) => new() { Level = level, ChunkBytes = ChunkBytes };

    static WatchedDevice Disk(string name) => new(new MemoryDevice(ArrayBench.BlockCount, ArrayBench.BlockBytes, name));

    static WatchedDevice[] Disks(int count) => [.. Enumerable.Range(0, count).Select(i => Disk($"disk{i}"))];

    static WatchedDevice Reopened(WatchedDevice device)
    {
        device.Revive();
        return device;
    }

    static async Task RequireSpaceAsync(IEnumerable<WatchedDevice> disks)
    {
        foreach (var disk in disks)
        {
            var areas = (await new SuperblockPair(disk).ReadAsync()).Areas;
            Assert.True(disk.CountHoles(0, (areas.DataAt + areas.DataBytes) / ArrayBench.BlockBytes) == 0, disk.Name);
        }
    }
}
