using Ashlar.Simulation;

namespace Ashlar.KeyValue.Sharding.Tests;

public sealed class ShardSequencesTests
{
    readonly SimulatedFileSystem disk = TestStore.NewDisk();

    [Fact]
    public async Task A_place_covers_what_was_written_before_and_can_be_waited_for()
    {
        using var store = ShardedTestStore.Open(disk);
        var before = store.VisibleSequences;
        for (var i = 0; i < 50; i++) store.Put(TestStore.Bytes($"{i}"), "x"u8, Durability.Relaxed);
        var place = store.VisibleSequences;
        Assert.Equal(4, place.Count);
        Assert.Equal(50, Enumerable.Range(0, 4).Sum(shard => (long)place[shard]));
        Assert.True(place.Covers(before) && !before.Covers(place));
        Assert.False(store.DurableSequences.Covers(place));
        var durable = store.WaitDurableAsync(place);
        Assert.False(durable.IsCompleted);
        store.Sync();
        await durable;
        Assert.True(store.DurableSequences.Covers(place));
        await Assert.ThrowsAsync<ArgumentException>(() => store.WaitDurableAsync(new ShardSequences([1])));
    }

    [Fact]
    public void The_whole_has_no_sequence_of_its_own()
    {
        using var store = ShardedTestStore.Open(disk);
        store.Put("a"u8, "1"u8);
        Assert.Equal((0UL, 0UL), (store.GetStatistics().LastSequence, store.GetStatistics().DurableSequence));
    }

    [Fact]
    public void Budgets_of_the_whole_are_divided_and_do_not_become_too_small()
    {
        var options = new ShardedKeyValueOptions
        {
            Store = new() { LogSegmentBytes = 256 << 20, MemTableBytes = 32 << 20, BlockCacheBytes = 64 << 20, MaxOpenFiles = 1000, SpaceReserveBytes = 64 << 20 },
        };
        var shard = options.ForShard(8);
        Assert.Equal((32 << 20, 4 << 20, 8 << 20), (shard.LogSegmentBytes, shard.MemTableBytes, shard.BlockCacheBytes));
        Assert.Equal((125, 8 << 20), (shard.MaxOpenFiles, shard.SpaceReserveBytes));
        Assert.Equal((1 << 20, 1 << 20), (options.ForShard(256).LogSegmentBytes, options.ForShard(256).MemTableBytes));
        Assert.Null((options with { Store = new() }).ForShard(8).SpaceReserveBytes);
    }
}
