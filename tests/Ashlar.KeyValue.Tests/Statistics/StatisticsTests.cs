using System.Diagnostics.Metrics;

namespace Ashlar.KeyValue.Tests;

public sealed class StatisticsTests
{
    [Fact]
    public void Everything_that_happens_is_counted()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(TestStore.NewDisk()));
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
        using (var store = KeyValueStore.Open("/metered", TestStore.Small(TestStore.NewDisk())))
        {
            store.Put("a", "1");
            listener.RecordObservableInstruments();
            Assert.Equal(1, found["ashlar.kv.puts"]);
            Assert.Equal(2, found["ashlar.kv.written"]);
            Assert.Equal(0, found["ashlar.kv.level.tables"]);
            Assert.DoesNotContain("ashlar.kv.time_to_stall", found.Keys);
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
}
