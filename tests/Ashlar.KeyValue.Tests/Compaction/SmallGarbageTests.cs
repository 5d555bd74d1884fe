using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// What was replaced is given back in small stores, too: by itself down to a few megabytes, and to the target by a merge of all.
/// </summary>
[Trait("disk", "any, slow")]
public sealed class SmallGarbageTests(ITestOutputHelper output)
{
    const int Seed = 11;

    // Three segments of 8 MiB may be on their way to tables; what is kept for a full disk follows the memtable.
    const long MaxBytes = 56 << 20;

    [Theory]
    [InlineData(1000, 150_000)]
    [InlineData(100, 400_000)]
    [InlineData(1 << 20, 200)]
    public void A_key_that_is_overwritten_again_and_again_takes_little_space(int valueBytes, int count)
    {
        using var store = Open();
        var value = new byte[valueBytes];
        var most = 0L;
        for (var i = 0; i < count; i++)
        {
            store.Put("hot"u8, value, Durability.Relaxed);
            if (i % (count / 50) == 0) most = Math.Max(most, store.GetStatistics().SpaceBytes);
        }

        output.WriteLine($"at most {most >> 20} MiB, {store.GetStatistics().FlushBytesWritten >> 10} KiB of tables");
        // What memtables hold of short values goes when they are tables.
        Assert.InRange(most, 0, valueBytes < Options.SeparatedValueBytes ? 6 * Options.MemTableBytes : MaxBytes);
        store.Compact();
        Assert.InRange(store.GetStatistics().ValueBytes, 0, Math.Max(8192, (valueBytes + 1024) * 3 / 2));
    }

    [Fact]
    public void A_merge_of_all_tables_brings_values_down_to_the_target_however_few_they_are()
    {
        const int Keys = 2000, Overwrites = 14_000;
        using var store = Open();
        var random = new Random(Seed);
        for (var i = 0; i < Keys + Overwrites; i++)
            store.Put($"{(i < Keys ? i : random.Next(Keys)):d6}", new string('x', 1000), Durability.Relaxed);
        store.Compact();
        var statistics = store.GetStatistics();
        output.WriteLine($"{statistics.ValueBytes} bytes of values, {statistics.ReferencedValueBytes} referred to");
        Assert.InRange(statistics.ReferencedValueBytes, Keys * 1000, Keys * 1030);
        Assert.InRange(statistics.ValueBytes, statistics.ReferencedValueBytes, (long)(1.5 * statistics.ReferencedValueBytes));
        for (var i = 0; i < Keys; i++) Assert.Equal(1000, store.Get($"{i:d6}")?.Length);
        Assert.Empty(store.Verify().Problems);
    }

    [Fact]
    public void Few_values_beside_much_garbage_in_one_segment_are_moved_by_a_merge_of_all_tables()
    {
        using var store = Open();
        for (var i = 0; i < 5; i++)
        {
            store.Put($"small {i}", new string('x', 256), Durability.Relaxed);
            store.Put("large"u8, new byte[1 << 20], Durability.Relaxed);
        }

        store.Compact();
        Assert.InRange(store.GetStatistics().ValueBytes, 1 << 20, 3 << 19);
    }

    [Fact]
    public void To_keep_a_small_store_small_little_is_written()
    {
        const int Keys = 8000, Overwrites = 100_000;
        using var store = Open();
        var random = new Random(Seed);
        var value = new byte[1000];
        for (var i = 0; i < Keys + Overwrites; i++)
            store.Put(BitConverter.GetBytes(i < Keys ? i : random.Next(Keys)), value, Durability.Relaxed);
        var statistics = store.GetStatistics();
        var moved = (double)(statistics.MovedValueBytes + statistics.CompactionBytesWritten + statistics.FlushBytesWritten);
        output.WriteLine($"{moved / statistics.BytesPut:f2} bytes moved or merged a byte put, {statistics.SpaceBytes >> 20} MiB of files");
        Assert.InRange(moved / statistics.BytesPut, 0, 1.5);
    }

    [Theory]
    [InlineData(1, 0, 0)] // New keys alone: only a full memtable is a reason to write tables.
    [InlineData(2, 1, 2)] // Half of them replace what is there.
    [InlineData(4, 3, 6)]
    public void Memtables_end_early_for_garbage_not_for_values(int overwrites, int minFlushes, int maxFlushes)
    {
        const int Keys = 15_000;
        using var store = Open();
        var value = new byte[1000];
        for (var i = 0; i < Keys; i++)
        {
            // In step with new ones, so that each memtable has as many of both.
            store.Put(BitConverter.GetBytes(i), value, Durability.Relaxed);
            for (var j = 1; j < overwrites; j++) store.Put(BitConverter.GetBytes(i * j / overwrites), value, Durability.Relaxed);
        }

        var flushes = store.GetStatistics().Flushes;
        output.WriteLine($"{flushes} flushes");
        Assert.InRange(flushes, minFlushes, maxFlushes);
    }

    [Fact]
    public void Small_entries_beside_large_ones_do_not_hide_what_those_replace()
    {
        const int Large = 64, LargeBytes = 256 << 10;
        using var store = Open();
        var value = new byte[LargeBytes];
        var small = 0;
        for (var round = 0; round < 12; round++)
        {
            for (var i = 0; i < Large; i++)
            {
                store.Put(BitConverter.GetBytes(i), value, Durability.Relaxed);
                for (var j = 0; j < 20; j++) store.Put($"small {small++:d9}", "x", Durability.Relaxed);
            }
        }

        // A round is 16 MiB: without a look below, each memtable would hold several rounds.
        var flushes = store.GetStatistics().Flushes;
        output.WriteLine($"{flushes} flushes");
        Assert.InRange(flushes, 8, 30);
    }

    static KeyValueOptions Options { get; } = new() { BlockCacheBytes = 1 << 20 };

    static KeyValueStore Open() => KeyValueStore.Open(TestStore.Directory, Options with { FileSystem = TestStore.AnyDisk() });
}
