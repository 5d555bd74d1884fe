using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>What a deleted range covers gives its space back on a store that nobody writes to any more.</summary>
public sealed class EarlyFlushTests : IDisposable
{
    const int Keys = 2000;

    readonly SimulatedClock clock = new();
    readonly SimulatedFileSystem disk = TestStore.NewDisk();
    KeyValueStore store;

    public EarlyFlushTests() => store = Open();

    public void Dispose() => store.Dispose();

    [Theory, InlineData(40), InlineData(300)]
    public async Task A_range_that_is_deleted_last_gives_its_space_back(int valueBytes)
    {
        Fill(valueBytes);
        var (before, active) = (SpaceOf(store), ActiveMemTable());
        store.DeleteRange("00100"u8, "01900"u8);
        clock.Advance(EarlyFlush.Delay - TimeSpan.FromMilliseconds(1));
        store.Sync();
        Assert.Same(active, ActiveMemTable()); // It may be one of many: they share a flush.
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await Waiting.UntilAsync(() => SpaceOf(store) < before / 3, "the space comes back");
        Assert.Equal(200, Count(store));
        Assert.True(store.Verify().IsClean);
    }

    [Fact]
    public async Task A_dropped_keyspace_does()
    {
        var keyspace = store.OpenKeyspace("old");
        for (var key = 0; key < Keys; key++) keyspace.Put(TestStore.Bytes($"{key:d5}"), new byte[40], Durability.Unflushed);
        store.Compact();
        Assert.True(SpaceOf(store) > 40_000);
        store.DropKeyspace("old");
        clock.Advance(EarlyFlush.Delay);
        await Waiting.UntilAsync(() => SpaceOf(store) < 10_000, "the space comes back");
    }

    [Fact]
    public async Task What_lies_in_the_log_yet_does()
    {
        Reopen(options => options with { MemTableBytes = 1 << 20, LogSegmentBytes = 4 << 20 });
        for (var key = 0; key < 200; key++) store.Put($"{key:d5}", new string('v', 1000), Durability.Unflushed);
        var before = store.GetStatistics();
        Assert.True(before.SpaceBytes > 200_000 && before.TableEntries == 0);
        store.DeleteRange(KeyRange.All);
        clock.Advance(EarlyFlush.Delay);
        await Waiting.UntilAsync(() => store.GetStatistics().SpaceBytes < 50_000, "the log goes");
        Assert.Equal(0, Count(store));
    }

    [Fact]
    public async Task A_range_of_before_the_store_was_closed_does()
    {
        Fill(40);
        store.DeleteRange(KeyRange.All);
        Reopen();
        Assert.Equal(1, store.GetStatistics().DeletedRanges);
        clock.Advance(EarlyFlush.Delay);
        await Waiting.UntilAsync(() => store.GetStatistics().TableBytes == 0, "the space comes back");
    }

    [Fact]
    public async Task Little_is_left_to_lie_and_a_range_that_adds_up_to_more_is_not()
    {
        Fill(40);
        store.DeleteRange("00000"u8, "00010"u8);
        store.DeleteRange("99999"u8, "999999"u8);
        var active = ActiveMemTable();
        clock.Advance(10 * EarlyFlush.Delay);
        store.Sync();
        Assert.Same(active, ActiveMemTable());
        store.DeleteRange(KeyRange.All);
        clock.Advance(EarlyFlush.Delay);
        await Waiting.UntilAsync(() => store.GetStatistics().TableBytes == 0, "the space comes back");
    }

    [Fact]
    public async Task A_snapshot_that_keeps_it_costs_one_flush_and_not_one_for_each_time_that_it_is_deleted()
    {
        Fill(40);
        var (snapshot, flushes) = (store.CreateSnapshot(), store.GetStatistics().Flushes);
        for (var round = 0; round < 5; round++)
        {
            var active = ActiveMemTable();
            store.DeleteRange(KeyRange.All);
            clock.Advance(EarlyFlush.Delay);
            store.Put("zzz", "1"); // Behind what was begun, if anything was.
            Assert.Equal(round > 0, active == ActiveMemTable());
            if (round == 0) await Waiting.UntilAsync(() => store.GetStatistics().Flushes > flushes, "the manifest knows the range");
        }

        Assert.Equal(Keys, Count(snapshot));
        snapshot.Dispose();
        await Waiting.UntilAsync(() => store.GetStatistics().TableBytes < 1000, "the space comes back");
    }

    [Fact]
    public async Task A_memtable_that_writers_fill_soon_is_waited_for()
    {
        Reopen(options => options with { LogSegmentBytes = 4 << 20 }); // It is not full for its log's sake.
        Fill(40);
        var active = ActiveMemTable();
        store.DeleteRange("00000"u8, "01990"u8);
        for (var round = 0; round < 2; round++)
        {
            var before = active.UsedBytes;
            for (var key = 0; key < 250; key++) store.Put($"x{round}{key}", new string('v', 30), Durability.Unflushed);
            Assert.True(active.UsedBytes - before > 16 << 10);
            clock.Advance(EarlyFlush.Delay);
            store.Sync();
            Assert.Same(active, ActiveMemTable());
        }

        clock.Advance(EarlyFlush.Delay); // Nobody writes any more.
        await Waiting.UntilAsync(() => store.GetStatistics().DeletedRanges == 0, "the space comes back");
        Assert.NotSame(active, ActiveMemTable());
    }

    [Fact]
    public void A_store_that_is_closed_meanwhile_begins_nothing()
    {
        Fill(40);
        store.DeleteRange(KeyRange.All);
        store.Dispose();
        clock.Advance(EarlyFlush.Delay);
        Assert.Null(store.Failure);
    }

    void Fill(int valueBytes)
    {
        for (var key = 0; key < Keys; key++) store.Put($"{key:d5}", new string('v', valueBytes), Durability.Unflushed);
        store.Compact();
    }

    MemTable ActiveMemTable()
    {
        using var read = store.State.Read();
        return read.Version.Active;
    }

    static long SpaceOf(KeyValueStore store) => store.GetStatistics() is var now ? now.TableBytes + now.ReferencedValueBytes : 0;

    static int Count(IKeyValueReader reader)
    {
        var count = 0;
        using var cursor = reader.Scan(KeyRange.All);
        while (cursor.MoveNext()) count++;
        return count;
    }

    void Reopen(Func<KeyValueOptions, KeyValueOptions>? change = null)
    {
        store.Dispose();
        store = Open(change);
    }

    KeyValueStore Open(Func<KeyValueOptions, KeyValueOptions>? change = null)
    {
        var options = TestStore.Small(disk, inline: false) with
        {
            TimeProvider = clock,
            EarlyFlushBytes = 8 << 10,
            RelaxedLossTime = TimeSpan.FromDays(10),
            LogSegmentBytes = 64 << 10,
            MemTableBytes = 64 << 10,
        };
        return KeyValueStore.Open(TestStore.Directory, change is null ? options : change(options));
    }
}
