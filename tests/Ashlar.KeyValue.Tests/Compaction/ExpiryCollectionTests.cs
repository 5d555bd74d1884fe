using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>What has expired gives its space back without ever being overwritten.</summary>
public sealed class ExpiryCollectionTests
{
    static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    readonly SimulatedClock clock = new();
    readonly SimulatedFileSystem disk = TestStore.NewDisk();

    [Theory, InlineData(40), InlineData(400)]
    public void Keys_in_the_order_of_time_do_not_grow_for_ever_nor_are_they_read_again(int valueBytes)
    {
        const int Writes = 6000, Alive = 600;
        using var store = Open();
        var most = 0L;
        for (var number = 0; number < Writes; number++)
        {
            store.Put(KeyOf(number), new byte[valueBytes], Life, Durability.Unflushed);
            clock.Advance(Life / Alive);
            if (number > 4 * Alive && number % 100 == 0) most = Math.Max(most, SpaceOf(store.GetStatistics()));
        }

        var statistics = store.GetStatistics();
        Assert.InRange(most, 1, 4L * Alive * (valueBytes + 60));
        Assert.True(statistics.TablesDropped > 25, $"only {statistics.TablesDropped} tables were dropped");
        Assert.InRange(statistics.CompactionBytesRead, 0, statistics.BytesPut / 2);
        Assert.Equal(Alive - 1, Count(store));
        Assert.True(store.Verify().IsClean);
    }

    [Fact]
    public void One_entry_that_lives_long_does_not_keep_the_others()
    {
        using var store = Open();
        for (var number = 0; number < 3000; number++)
        {
            store.Put(KeyOf(number), new byte[40], number % 40 == 0 ? TimeSpan.FromDays(3650) : Life, Durability.Unflushed);
            clock.Advance(Life / 300);
        }

        store.Flush();
        Assert.InRange(store.GetStatistics().TableEntries, 75, 1200);
        Assert.Equal(75 + 299, Count(store), 10.0);
    }

    [Fact]
    public void A_cursor_goes_on_over_tables_that_were_dropped_and_a_later_reader_finds_nothing()
    {
        using var store = Open();
        for (var number = 0; number < 300; number++) store.Put(KeyOf(number), new byte[40], Life);
        store.Flush();
        using var cursor = store.Scan(KeyRange.All);
        using var snapshot = store.CreateSnapshot();
        clock.Advance(Life);
        Drop(store);
        Assert.True(store.GetStatistics().TablesDropped > 0);
        Assert.InRange(store.GetStatistics().TableEntries, 0, 2); // What made the background look.
        var seen = 0;
        while (cursor.MoveNext()) seen++;
        Assert.Equal(300, seen);
        using (var late = snapshot.Scan(KeyRange.All)) Assert.False(late.MoveNext());
    }

    [Fact]
    public void A_clock_that_is_set_back_gives_back_nothing_of_a_dropped_table_and_loses_nothing_else()
    {
        using (var store = Open())
        {
            for (var number = 0; number < 100; number++) store.Put(KeyOf(number), new byte[40], Life);
            store.Flush();
            for (var number = 100; number < 200; number++) store.Put(KeyOf(number), new byte[40], 2 * Life);
            store.Flush();
            clock.Advance(Life);
            Drop(store);
            Assert.Equal(100, Count(store));
        }

        using var earlier = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with { TimeProvider = new SimulatedClock() });
        Assert.Equal(100, Count(earlier));
        Assert.Null(earlier.Get(KeyOf(5)));
    }

    [Fact]
    public void An_older_value_below_does_not_come_back()
    {
        using var store = Open();
        for (var number = 0; number < 50; number++) store.Put(KeyOf(number), "old"u8);
        store.Compact();
        for (var number = 0; number < 50; number++) store.Put(KeyOf(number), "new"u8, Life);
        store.Flush();
        clock.Advance(Life);
        Drop(store);
        Assert.Equal(0, Count(store));
    }

    // A flush makes the background look.
    static void Drop(KeyValueStore store)
    {
        store.Put("zzz"u8, "1"u8);
        store.Flush();
        store.Delete("zzz");
        store.Flush();
    }

    static long SpaceOf(KeyValueStatistics statistics) => statistics.TableBytes + statistics.ValueBytes;

    static byte[] KeyOf(int number) => TestStore.Bytes($"{number:d8}");

    static int Count(KeyValueStore store)
    {
        var count = 0;
        using var cursor = store.Scan(KeyRange.All);
        while (cursor.MoveNext()) count++;
        return count;
    }

    KeyValueStore Open() => KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk) with
    {
        TimeProvider = clock,
        RelaxedLossTime = TimeSpan.FromDays(10),
        LogSegmentBytes = 64 << 10,
    });
}
