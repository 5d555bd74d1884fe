using Ashlar.Simulation;

namespace Ashlar.Volumes.Tests;

/// <summary>Who listens to a pool gets everything in order, and however slow he is, nobody but him waits for it.</summary>
public sealed class PoolEventsTests
{
    readonly List<PoolEvent> heard = [];
    readonly ManualResetEventSlim mayGoOn = new(initialState: true);
    readonly SemaphoreSlim isHearing = new(0);

    [Fact]
    public async Task Whoever_met_it_does_not_wait_for_the_observer()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        await using (var healthy = await TestPool.CreateAsync(disk: disk))
        {
            var volume = await healthy.CreateVolumeAsync("disk", 16 << 20);
            await volume.WriteAsync(Lba(0), CrashedPool.Content(1));
            await volume.WriteAsync(Lba(1), CrashedPool.Content(2));
        }

        Assert.Equal(0, DamagedMap.DamageLeaf(disk, "disk"));
        mayGoOn.Reset();
        var pool = await TestPool.OpenAsync(disk, TestPool.DefaultOptions(2) with { Observer = Hear });
        var damaged = pool.Pool.OpenVolume("disk")!;
        await Assert.ThrowsAsync<Storage.CorruptDataException>(async () => await CrashedPool.ReadAsync(damaged, 0));
        await damaged.WriteAsync(Lba(MapLayout.BlocksPerLeaf), CrashedPool.Content(3));
        await damaged.FlushAsync();
        mayGoOn.Set();
        await pool.DisposeAsync();
        Assert.Single(heard, each => each.Kind == PoolEventKind.DamagedMap);
    }

    [Fact]
    public async Task Events_come_in_order_and_the_last_one_before_the_pool_is_closed()
    {
        var events = new PoolEvents("main", Hear);
        for (var i = 0; i < 500; i++) Report(events, i);
        await events.DisposeAsync();
        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"pool main: {i}"), heard.Select(each => each.Message));
        Report(events, 500);
        await events.WaitAsync();
        Assert.Equal(500, heard.Count);
    }

    [Fact]
    public async Task What_finds_no_room_is_counted_and_said_where_it_would_have_been()
    {
        mayGoOn.Reset();
        var events = new PoolEvents("main", Hear);
        Report(events, 0);
        Assert.True(await isHearing.WaitAsync(TimeSpan.FromMinutes(1)), "nobody hears");
        for (var i = 1; i < 2000; i++) Report(events, i);
        mayGoOn.Set();
        await events.WaitAsync();
        Report(events, 2000);
        await events.DisposeAsync();
        var given = heard.Count - 2;
        Assert.Equal(1025, given); // One of them was with the observer.
        Assert.Equal(
            [.. Enumerable.Range(0, given), 2000],
            heard.Where(each => each.Kind != PoolEventKind.LeftOut).Select(each => int.Parse(each.Message.Split(' ')[^1], null)));
        Assert.Equal(PoolEventKind.LeftOut, heard[given].Kind);
        Assert.StartsWith($"pool main: {2000 - given} more events were left out", heard[given].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_failure_of_the_pool_is_never_left_out()
    {
        mayGoOn.Reset();
        var events = new PoolEvents("main", Hear);
        for (var i = 0; i < 2000; i++) Report(events, i);
        new FailureLatch("main", events).Latch(new IOException("flush failed"));
        mayGoOn.Set();
        await events.DisposeAsync();
        Assert.Equal((PoolEventKind.LeftOut, PoolEventKind.Failed), (heard[^2].Kind, heard[^1].Kind));
    }

    [Fact]
    public async Task An_observer_that_throws_gets_the_next_event_all_the_same()
    {
        var events = new PoolEvents("main", each =>
        {
            heard.Add(each);
            throw new InvalidOperationException("the log is full");
        });
        Report(events, 1);
        Report(events, 2);
        await events.DisposeAsync();
        Assert.Equal(2, heard.Count);
    }

    static Blocks.Lba Lba(long block) => new(block);

    static void Report(PoolEvents events, int number) =>
        events.Report(PoolEventKind.Volume, PoolEventSeverity.Information, $"{number}");

    void Hear(PoolEvent each)
    {
        isHearing.Release();
        mayGoOn.Wait();
        heard.Add(each);
    }
}
