using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// What happens when values are overwritten faster than their space is collected. Merges are done only while a writer waits, on a disk
/// that the clock goes by: each run is the same.
/// </summary>
public sealed class SpaceDebtTests(ITestOutputHelper output)
{
    const int Keys = 1000;
    const int ValueBytes = 1000;
    const double LiveBytes = Keys * (9.0 + ValueBytes);
    const double Allowed = 1.5;
    const long DiskBytesPerSecond = 10_000_000;

    readonly SimulatedFileSystem disk = TestStore.NewDisk();

    KeyValueOptions Options(int inlineMerges, IFileSystem? through = null) => TestStore.Small(through ?? disk) with
    {
        TimeProvider = new DiskClock(disk, DiskBytesPerSecond),
        SeparatedValueBytes = 100,
        MemTableBytes = 4 << 10,
        LogSegmentBytes = 32 << 10,
        LogChunkBytes = 4 << 10,
        ManifestRewriteBytes = 16 << 10, // Beside so little data it would count.
        SpaceAmplification = Allowed,
        InlineMerges = inlineMerges,
    };

    [Fact]
    public void Debt_begins_beyond_what_a_batch_takes_grows_without_a_jump_and_stops_nobody()
    {
        Assert.Equal(default, SpaceDebt.Of(SpaceDebt.FreeOvershoot * 1000, 1000));
        Assert.Equal(default, SpaceDebt.Of(1e9, double.PositiveInfinity));
        var last = 0.0;
        for (var used = 1000; used < 5000; used++)
        {
            var share = SpaceDebt.Of(used, 1000).Share;
            Assert.InRange(share, last, last + 0.01);
            last = share;
        }

        Assert.Equal(SpaceDebt.MaxShare, last);
        Assert.Equal(2850, SpaceDebt.Of(4000, 1000).ExcessBytes);
    }

    [Fact]
    public void What_a_batch_cannot_reach_is_allowed()
    {
        var batch = new ValueBatch(new HashSet<ulong> { 1 }, 100, 100, ReachBytes: 1500, LimitBytes: 1000, EstimatedBytes: 1600);
        Assert.Equal(1500, batch.AllowedBytes);
        Assert.Equal(1000, (batch with { ReachBytes = 900 }).AllowedBytes);
    }

    [Theory]
    [InlineData(1, SpaceDebt.FullOvershoot * Allowed)] // Merges for each memtable, beside those that writers wait for.
    [InlineData(2, SpaceDebt.FullOvershoot * Allowed)]
    [InlineData(int.MaxValue, SpaceDebt.FullOvershoot * Allowed)]
    [InlineData(0, 3.0)] // Batches, too, are chosen only while a writer waits. Without slowing, 9.7 and growing.
    public void Overwriting_for_ever_takes_bounded_space_however_little_is_merged_meanwhile(int inlineMerges, double bound)
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options(inlineMerges));
        var most = 0.0;
        for (var round = 0; round < 40; round++) most = Math.Max(most, Overwrite(store, round));
        Report(store, most);
        Assert.InRange(most, Allowed, bound);
        Assert.Empty(store.Verify().Problems);
    }

    // Tables go on to refer to what newer ones replace until they are merged: no segment may look worth moving then.
    [Fact]
    public void Files_come_down_to_the_target_wherever_writing_ends()
    {
        const int LogSegmentBytes = 128 << 10; // Each an eighth of what is live, as where it is some gigabytes.
        var options = Options(int.MaxValue) with { LogSegmentBytes = LogSegmentBytes, MemTableBytes = 1 << 20, TableBytes = 64 << 10 };
        using var store = KeyValueStore.Open(TestStore.Directory, options);
        Overwrite(store, 0);
        Overwrite(store, 1);
        var random = new SeededRandom(5);
        var ends = new List<double>();
        for (var end = 0; end < 60; end++)
        {
            for (var i = random.Next(20, 400); i > 0; i--) Put(store, $"key{random.Next(Keys):d6}", i);
            var statistics = store.GetStatistics();
            ends.Add((statistics.SpaceBytes - statistics.LogBytes) / LiveBytes);
        }

        output.WriteLine(string.Join(' ', ends.Select(end => $"{end:f2}")));
        Assert.All(ends, end => Assert.InRange(end, 1, 1.1 * Allowed));
        Assert.InRange(store.GetStatistics().CompactionBytesWritten, 0, 0.2 * store.GetStatistics().BytesPut); // Of tables; they are small.
    }

    [Fact]
    public void Garbage_that_a_snapshot_keeps_is_not_looked_for_and_comes_down_when_the_snapshot_is_gone()
    {
        var options = Options(int.MaxValue) with { LogSegmentBytes = 128 << 10, MemTableBytes = 32 << 10, TableBytes = 64 << 10 };
        using var store = KeyValueStore.Open(TestStore.Directory, options);
        OverwriteInOrder();
        store.Compact();
        using (store.CreateSnapshot())
        {
            OverwriteInOrder();
            store.Flush();
            Report(store, 0);
            Assert.Equal(0, store.GetStatistics().MovedValueBytes);
        }

        for (var i = 0; i < 400; i++) Put(store, $"key{i * 7 % Keys:d6}", i);
        Report(store, 0);
        var statistics = store.GetStatistics();
        Assert.InRange(statistics.LiveBytes / LiveBytes, 0.9, 1.2);
        Assert.InRange((statistics.SpaceBytes - statistics.LogBytes) / LiveBytes, 1, 1.1 * Allowed);

        void OverwriteInOrder()
        {
            for (var key = 0; key < Keys; key++) Put(store, $"key{key:d6}", key);
        }
    }

    [Fact]
    public void A_target_out_of_reach_slows_writers_to_what_is_collected_and_no_further()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options(1) with { SpaceAmplification = 1.001 });
        for (var round = 0; round < 10; round++) Overwrite(store, round);
        var rate = Rate(store, 10, 10);
        Report(store, 0);
        output.WriteLine($"{rate / 1e6:f2} MB/s");
        Assert.True(rate > DiskBytesPerSecond / 30, $"{rate / 1e6:f2} MB/s on a disk of {DiskBytesPerSecond / 1e6:f0} MB/s");
    }

    [Fact]
    public void A_store_that_keeps_up_slows_nobody()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options(int.MaxValue));
        for (var round = 0; round < 20; round++) Overwrite(store, round);
        Report(store, 0);
        var statistics = store.GetStatistics();
        Assert.True(statistics.MovedValueBytes > 0);
        Assert.Equal((TimeSpan.Zero, 0), (statistics.SpaceSlowDownTime, statistics.SpaceDebtBytes));
    }

    [Fact]
    public void When_nobody_writes_any_more_what_has_the_most_to_move_is_spared()
    {
        // Of 4,000 bytes each: 1,000, 2,000 and 3,000 are referred to; nothing of the last any more.
        ValueSegmentInfo[] segments = [.. new ulong[] { 1, 2, 3, 4 }.Select(id => new ValueSegmentInfo(id, id, SegmentOrigin.Log, 4000))];
        const int Heads = LogSegmentHeader.SizeBytes;
        var references = segments[..3].ToDictionary(
            segment => segment.Id, segment => new SegmentReference(segment.Id, (1000 * (long)segment.Id) - Heads, 1));
        var files = new CollectableFiles(segments, references) { TotalBytes = 50_000 };
        ulong[] Left(double limit) => [.. ValueBatch.Of(segments, files, limit).WithoutSpare(files).Segments.Order()];
        var least = 50_000 - 3000 - 2000 - 1000 - (4000 - Heads);
        Assert.Equal([1, 2, 3, 4], Left(least));
        Assert.Equal([1, 2, 3, 4], Left(least + 999));
        Assert.Equal([1, 2, 4], Left(least + 1000));
        Assert.Equal([1, 4], Left(least + 3000));
        Assert.Empty(Left(50_000));
    }

    [Fact]
    public void What_is_new_and_replaces_nothing_is_not_slowed_for_its_space()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options(1));
        for (var round = 0; round < 6; round++) Overwrite(store, round);
        var before = store.GetStatistics();
        for (var i = 0; i < 10 * Keys; i++) Put(store, $"new{i:d6}", i);
        Report(store, 0);
        var after = store.GetStatistics();
        Assert.InRange((after.SpaceSlowDownTime - before.SpaceSlowDownTime).TotalSeconds, 0, 0.1);
        Assert.InRange(after.LiveBytes / (11 * LiveBytes), 0.9, 1.2);
    }

    [Fact]
    public void What_a_snapshot_holds_slows_nobody_for_long()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Options(1));
        for (var round = 0; round < 6; round++) Overwrite(store, round);
        var free = Rate(store, 6, 10);
        using (store.CreateSnapshot())
        {
            var held = Rate(store, 16, 10);
            Report(store, 0);
            output.WriteLine($"{free / 1e6:f2} MB/s without, {held / 1e6:f2} MB/s with the snapshot");
            Assert.True(held > free / 2, $"{free / 1e6:f2} MB/s without, {held / 1e6:f2} MB/s with the snapshot");
        }
    }

    [Fact]
    public void A_disk_that_does_not_give_what_is_to_be_moved_slows_nobody()
    {
        var faulty = new FaultyFileSystem(disk);
        using var store = KeyValueStore.Open(TestStore.Directory, Options(0, faulty));
        for (var round = 0; round < 10; round++) Overwrite(store, round);
        WriteUntilInDebt(store);
        var rule = new FaultRule(FaultOperations.Read, FaultKind.InputOutputError) { PathPattern = "*log-*", IsSticky = true };
        faulty.Add(rule);
        var before = store.GetStatistics().SpaceSlowDownTime;
        Assert.ThrowsAny<AshlarException>(WriteOn); // In the end level 0 is full.
        Report(store, 0);
        var statistics = store.GetStatistics();
        Assert.Equal(0, statistics.SpaceDebtBytes);
        Assert.InRange((statistics.SpaceSlowDownTime - before).TotalSeconds, 0, 0.1);
        faulty.Heal();
        Overwrite(store, 11);
        Assert.Empty(store.Verify().Problems);

        void WriteOn()
        {
            var random = new SeededRandom(12);
            for (var i = 0; i < 10 * Keys; i++) Put(store, $"key{random.Next(Keys):d6}", i);
        }
    }

    // At random, so that values are left that have to be moved.
    static void WriteUntilInDebt(KeyValueStore store)
    {
        var random = new SeededRandom(11);
        for (var i = 0; store.GetStatistics().SpaceDebtBytes == 0; i++)
        {
            Assert.InRange(i, 0, 10 * Keys);
            Put(store, $"key{random.Next(Keys):d6}", i);
        }
    }

    double Rate(KeyValueStore store, int round, int rounds)
    {
        var clock = new DiskClock(disk, DiskBytesPerSecond);
        var begun = clock.GetTimestamp();
        for (var i = 0; i < rounds; i++) Overwrite(store, round + i);
        return rounds * LiveBytes / clock.GetElapsedTime(begun).TotalSeconds;
    }

    // Gives the most bytes of files for a live one.
    static double Overwrite(KeyValueStore store, int round)
    {
        const int PutsBetweenLooks = 50;
        var random = new SeededRandom((ulong)round + 1);
        var most = 0.0;
        for (var i = 0; i < Keys; i++)
        {
            var key = round == 0 ? i : random.Next(Keys);
            Put(store, $"key{key:d6}", (round * Keys) + i);
            if (round > 0 && i % PutsBetweenLooks == 0) most = Math.Max(most, store.GetStatistics().SpaceBytes / LiveBytes);
        }

        return most;
    }

    static void Put(KeyValueStore store, string key, int number) =>
        store.Put(key, $"{number}".PadLeft(ValueBytes, 'v'), Durability.Relaxed);

    void Report(KeyValueStore store, double most)
    {
        var statistics = store.GetStatistics();
        output.WriteLine(
            $"{most:f2} bytes of files a live byte at most, {statistics.SpaceBytes / LiveBytes:f2} at last; live estimated "
                + $"{statistics.LiveBytes / LiveBytes:f2}; slowed {statistics.SlowDownTime.TotalSeconds:f2} s, for space "
                + $"{statistics.SpaceSlowDownTime.TotalSeconds:f2} s, stalled {statistics.StallTime.TotalSeconds:f2} s "
                + $"({statistics.WriteStalls}); moved {statistics.MovedValueBytes / (double)statistics.BytesPut:f2}, written "
                + $"{statistics.WriteAmplification:f2}");
    }
}
