using System.Diagnostics.Metrics;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

[Trait("disk", "any")]
public sealed class StatisticsTests
{
    [Theory, InlineData(false), InlineData(true)]
    public void Space_that_an_earlier_process_kept_for_a_full_disk_counts_before_the_first_write(bool isReadOnly)
    {
        var disk = TestStore.AnyDisk();
        var options = TestStore.Small(disk) with { SpaceReserveBytes = 256 << 10 };
        using (var store = KeyValueStore.Open(TestStore.Directory, options))
        {
            for (var i = 0; i < 200; i++) store.Put($"{i:d3}", new string('x', 100));
            Assert.Equal(256 << 10, store.GetStatistics().ReservedBytes);
        }

        using var reopened = KeyValueStore.Open(TestStore.Directory, options with { ReadOnly = isReadOnly });
        var statistics = reopened.GetStatistics();
        Assert.Equal(256 << 10, statistics.ReservedBytes);
        var files = StoreImage.Take(disk).Files.Where(file => file.Key != "LOCK").Sum(file => (long)file.Value.Length);
        Assert.Equal(files, statistics.SpaceBytes);
        if (isReadOnly) return;
        reopened.Put("next", "1");
        Assert.Equal(256 << 10, reopened.GetStatistics().ReservedBytes);
    }

    [Fact]
    public void Everything_that_happens_is_counted()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.AnyDisk()));
        for (var i = 0; i < 300; i++) store.Put($"{i:d6}", new string('x', 94));
        store.Delete("000001");
        var batch = new WriteBatch();
        batch.Put("a"u8, "1"u8);
        batch.Put("b"u8, "2"u8);
        store.Write(batch);
        store.Get("000005");
        store.Get("missing");
        store.Compact();

        var statistics = store.GetStatistics();
        Assert.Equal((302, 1, 302, 302), (statistics.Puts, statistics.Deletes, statistics.Batches, statistics.CommitGroups));
        Assert.Equal((300 * 100) + 6 + 4, statistics.BytesPut);
        Assert.Equal(2, statistics.Gets);
        Assert.Equal(303.0 / 302, statistics.MeanBatchEntries, 5);
        Assert.Equal(1, statistics.MeanGroupBatches);
        Assert.True(statistics.Flushes > 3 && statistics.Compactions > 0);
        Assert.True(statistics.LogBytesWritten > statistics.BytesPut);
        Assert.True(statistics.FlushBytesWritten > 0 && statistics.CompactionBytesWritten > 0 && statistics.CompactionBytesRead > 0);
        Assert.Equal(statistics.FlushBytesWritten + statistics.CompactionBytesWritten, statistics.TableBytesWritten);
        Assert.True(statistics.WriteAmplification > 2);
        Assert.Equal((301, 0), (statistics.TableEntries, statistics.TableTombstones));
        Assert.Equal(statistics.TableEntries, statistics.Levels.Sum(level => level.Entries));
        Assert.Equal((0, TimeSpan.Zero, null), (statistics.WriteStalls, statistics.StallTime, statistics.TimeToStall));
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(100)]
    public void Space_is_what_the_files_take_and_values_that_move_are_written_again(int separatedValueBytes)
    {
        var disk = TestStore.AnyDisk();
        var options = TestStore.Small(disk) with
        {
            SeparatedValueBytes = separatedValueBytes,
            LogSegmentBytes = 16 << 10,
            SpaceReserveBytes = 64 << 10,
        };
        using var store = KeyValueStore.Open(TestStore.Directory, options);
        for (var i = 0; i < 3000; i++) store.Put($"{i * 7 % 300:d6}", new string('x', 300), Durability.Relaxed);

        var statistics = store.GetStatistics();
        Assert.Equal(FilesOf(disk), statistics.SpaceBytes);
        Assert.Equal(64 << 10, statistics.ReservedBytes);
        Assert.True(statistics.LogBytes > 0);
        Assert.Equal(0, statistics.KeptFiles);
        Assert.InRange(statistics.LiveBytes, 300 * 306, 4 * 300 * 306);
        Assert.Equal(
            (double)(statistics.SpaceBytes - statistics.ReservedBytes - statistics.LogAheadBytes) / statistics.LiveBytes,
            statistics.SpaceAmplification);
        Assert.Equal(separatedValueBytes == 100, statistics.MovedValueBytes > 0);
        Assert.Equal(
            (double)(statistics.LogBytesWritten + statistics.TableBytesWritten + statistics.MovedValueBytes) / statistics.BytesPut,
            statistics.WriteAmplification);
    }

    [Fact]
    public void What_is_reserved_in_a_small_store_does_not_pass_for_garbage()
    {
        var options = new KeyValueOptions { FileSystem = TestStore.AnyDisk() };
        using var store = KeyValueStore.Open(TestStore.Directory, options);
        for (var i = 0; i < 10; i++) store.Put($"key{i}", new string('x', 100));
        var statistics = store.GetStatistics();
        Assert.True(statistics.ReservedBytes + statistics.LogAheadBytes > 100 * statistics.LiveBytes, "nothing is reserved");
        Assert.InRange(statistics.LiveBytes, 10 * 100, 10 * 300);
        Assert.InRange(statistics.SpaceAmplification, 1, 2);
        store.Flush();
        Assert.InRange(store.GetStatistics().SpaceAmplification, 1, 3);
    }

    [Fact]
    public void Files_that_cannot_be_looked_at_are_taken_for_as_long_as_what_was_written_to_them()
    {
        var faulty = new FaultyFileSystem(TestStore.AnyDisk());
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(faulty));
        for (var i = 0; i < 10; i++) store.Put($"key{i}", new string('x', 100));
        var before = store.GetStatistics();
        faulty.Add(new FaultRule(FaultOperations.Length, FaultKind.InputOutputError) { IsSticky = true });
        var after = store.GetStatistics();
        Assert.True(faulty.FiredCount > 0, "nothing was looked at");
        Assert.Equal((before.LiveBytes, before.SpaceBytes - before.LogAheadBytes), (after.LiveBytes, after.SpaceBytes));
        Assert.Equal(0, after.LogAheadBytes);
    }

    [Fact]
    public void A_cursor_that_is_not_disposed_shows_with_the_files_that_it_keeps()
    {
        var disk = TestStore.AnyDisk();
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        for (var i = 0; i < 300; i++) store.Put($"{i:d6}", new string('x', 300));
        var cursor = store.Scan(KeyRange.All);
        Assert.True(cursor.MoveNext());
        using (var snapshot = store.CreateSnapshot())
        {
            store.Put("a", "1");
            Assert.Equal(snapshot.Sequence, store.GetStatistics().OldestReadableSequence);
        }

        store.Compact();
        var statistics = store.GetStatistics();
        Assert.Equal((1, 0), (statistics.Cursors, statistics.Snapshots));
        Assert.True(statistics.KeptFiles > 0 && statistics.KeptFileBytes > 0 && statistics.BlockBytes > 0);
        Assert.Equal(FilesOf(disk), statistics.SpaceBytes);

        cursor.Dispose();
        cursor.Dispose();
        statistics = store.GetStatistics();
        Assert.Equal((0, 0, 0), (statistics.Cursors, statistics.KeptFiles, statistics.KeptFileBytes));
        Assert.Equal(FilesOf(disk), statistics.SpaceBytes);
    }

    [Fact]
    public void Segments_that_are_given_up_show_until_their_values_are_moved()
    {
        var disk = new FaultyFileSystem(TestStore.AnyDisk());
        var options = TestStore.Small(disk) with { SeparatedValueBytes = 100, LogSegmentBytes = 16 << 10, SpaceAmplification = 100 };
        using (var store = KeyValueStore.Open(TestStore.Directory, options))
        {
            for (var i = 0; i < 1000; i++) store.Put($"{i * 7 % 300:d6}", new string('x', 300), Durability.Relaxed);
            Assert.Equal(0, store.GetStatistics().VictimBytes);
        }

        // A value that cannot be moved keeps its segment a victim.
        using var reopened = KeyValueStore.Open(TestStore.Directory, options with { SpaceAmplification = 1.1 });
        disk.Add(new FaultRule(FaultOperations.Read, FaultKind.BitFlip) { PathPattern = "*log-*", IsSticky = true });
        reopened.Put("a", "1");
        Assert.Throws<CorruptDataException>(reopened.Compact);
        var statistics = reopened.GetStatistics();
        Assert.InRange(statistics.VictimBytes, 1, statistics.ValueBytes);
    }

    [Fact]
    public void Whoever_listens_to_the_meter_gets_the_figures_of_every_open_store()
    {
        var found = new Dictionary<string, double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "Ashlar.KeyValue") self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();
        using (var store = KeyValueStore.Open("/metered", TestStore.Small(TestStore.AnyDisk())))
        {
            store.Put("a", "1");
            listener.RecordObservableInstruments();
            Assert.Equal(1, found["ashlar.kv.puts"]);
            Assert.Equal(2, found["ashlar.kv.written"]);
            Assert.Equal(0, found["ashlar.kv.level.tables"]);
            Assert.DoesNotContain("ashlar.kv.time_to_stall", found.Keys);
            Assert.Equal(store.GetStatistics().SpaceBytes, found["ashlar.kv.space"]);
            Assert.Equal(0, found["ashlar.kv.cursors"]);
            Assert.Equal(0, found["ashlar.kv.space.kept"]);
        }

        found.Clear();
        listener.RecordObservableInstruments();
        Assert.Empty(found);

        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (var tag in tags)
            {
                if (tag is { Key: "store", Value: "/metered" }) found[instrument.Name] = value;
            }
        }
    }

    static long FilesOf(IFileSystem disk) => disk.List(TestStore.Directory).Where(name => name != "LOCK").Sum(name =>
    {
        using var file = disk.Open($"{TestStore.Directory}/{name}", FileOpenMode.ReadOnly);
        return file.LengthBytes;
    });
}
