using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Ashlar.KeyValue.Statistics;

/// <summary>
/// Publishes <see cref="KeyValueStatistics"/> of all open stores as the meter "Ashlar.KeyValue", with the store's directory as
/// tag <c>store</c>. Nothing is computed unless somebody collects.
/// </summary>
static class KeyValueMetrics
{
    public const string MeterName = "Ashlar.KeyValue";
    const string StoreTag = "store";

    static readonly ConcurrentDictionary<SharedStatistics, string> Stores = new();
    static readonly Meter EngineMeter = Create();

    /// <summary>Publishes what a store says of itself, until <see cref="Remove"/>.</summary>
    public static void Add(SharedStatistics store, string directory)
    {
        _ = EngineMeter; // Created with the first store.
        Stores[store] = directory;
    }

    public static void Remove(SharedStatistics store) => Stores.TryRemove(store, out _);

    static Meter Create()
    {
        var created = new Meter(MeterName);
        Count(created, "ashlar.kv.puts", "{entry}", "Values written", s => s.Puts);
        Count(created, "ashlar.kv.deletes", "{entry}", "Tombstones written", s => s.Deletes);
        Count(created, "ashlar.kv.range_deletes", "{entry}", "Deletes of ranges written", s => s.RangeDeletes);
        Count(created, "ashlar.kv.gets", "{read}", "Reads of one key", s => s.Gets);
        Count(created, "ashlar.kv.written", "By", "Keys and values written", s => s.BytesPut);
        Count(created, "ashlar.kv.batches", "{batch}", "Batches written", s => s.Batches);
        Count(created, "ashlar.kv.commit_groups", "{group}", "Groups of batches written to the log together", s => s.CommitGroups);
        Count(created, "ashlar.kv.log.syncs", "{sync}", "Flushes of the log", s => s.Syncs);
        Count(created, "ashlar.kv.log.written", "By", "Bytes written to the log", s => s.LogBytesWritten);
        Count(created, "ashlar.kv.flushes", "{flush}", "Memtables that became tables", s => s.Flushes);
        Count(created, "ashlar.kv.flush.written", "By", "Bytes of tables that memtables became", s => s.FlushBytesWritten);
        Count(created, "ashlar.kv.compactions", "{compaction}", "Compactions", s => s.Compactions);
        Count(created, "ashlar.kv.tables.dropped", "{table}", "Tables that went without being read", s => s.TablesDropped);
        Count(created, "ashlar.kv.compaction.read", "By", "Bytes that compactions read", s => s.CompactionBytesRead);
        Count(created, "ashlar.kv.compaction.written", "By", "Bytes that compactions wrote", s => s.CompactionBytesWritten);
        Count(created, "ashlar.kv.values.moved", "By", "Values that were moved out of segments with much garbage", s => s.MovedValueBytes);
        Count(created, "ashlar.kv.stalls", "{group}", "Groups of writes that were stopped", s => s.WriteStalls);
        Count(created, "ashlar.kv.slowdowns", "{group}", "Groups of writes that were slowed down", s => s.WriteSlowDowns);
        Count(created, "ashlar.kv.cache.hits", "{block}", "Blocks found in the cache", s => s.CacheHits);
        Count(created, "ashlar.kv.cache.misses", "{block}", "Blocks read", s => s.CacheMisses);
        Count(created, "ashlar.kv.cache.value.hits", "{value}", "Values found in the cache", s => s.CacheValueHits);
        Count(created, "ashlar.kv.cache.value.misses", "{value}", "Values that the cache missed", s => s.CacheValueMisses);
        CountTime(created, "ashlar.kv.stall.time", "Time that writes were stopped", s => s.StallTime);
        CountTime(created, "ashlar.kv.slowdown.time", "Time that writes were slowed down", s => s.SlowDownTime);
        CountTime(
            created,
            "ashlar.kv.slowdown.space.time",
            "Time that writes were slowed down because files had grown faster than values are collected",
            s => s.SpaceSlowDownTime);
        Gauge(created, "ashlar.kv.memtables", "By", "Memory of memtables", s => s.MemTableBytes);
        Gauge(created, "ashlar.kv.deleted_ranges", "{range}", "Deleted ranges that reads look for", s => s.DeletedRanges);
        Gauge(created, "ashlar.kv.cache.size", "By", "Memory of cached blocks and values", s => s.CacheBytes);
        Gauge(created, "ashlar.kv.debt", "By", "Bytes that wait to be written to tables and to be merged", s => s.DebtBytes);
        Gauge(
            created,
            "ashlar.kv.debt.space",
            "By",
            "Bytes of files beyond what slows nobody, while values are collected",
            s => s.SpaceDebtBytes);
        Gauge(created, "ashlar.kv.archive.lag", "By", "Bytes of the log that are not in the archive", s => s.ArchiveLagBytes);
        Measure(
            created, "ashlar.kv.archive.lag.time", "s", "How old a write may be that is not in the archive",
            s => s.ArchiveLag.TotalSeconds);
        Gauge(created, "ashlar.kv.snapshots", "{snapshot}", "Open snapshots", s => s.Snapshots);
        Gauge(created, "ashlar.kv.cursors", "{cursor}", "Open cursors", s => s.Cursors);
        Gauge(created, "ashlar.kv.blocks", "By", "Memory of blocks and values, those of cursors included", s => s.BlockBytes);
        Gauge(created, "ashlar.kv.cache.taken", "By", "Memory taken of the system for blocks and values", s => s.CacheTakenBytes);
        Gauge(created, "ashlar.kv.space", "By", "Length of all files", s => s.SpaceBytes);
        Gauge(created, "ashlar.kv.space.live", "By", "What would be left of it if everything were merged", s => s.LiveBytes);
        Gauge(created, "ashlar.kv.space.log", "By", "Log, with what is reserved ahead", s => s.LogBytes);
        Gauge(created, "ashlar.kv.space.victims", "By", "Segments whose live values are being moved", s => s.VictimBytes);
        Gauge(created, "ashlar.kv.space.kept", "By", "Files that only readers keep", s => s.KeptFileBytes);
        Gauge(created, "ashlar.kv.space.reserved", "By", "Kept for a full disk", s => s.ReservedBytes);
        Gauge(created, "ashlar.kv.disk_full", "1", "1 while puts are refused for want of space", s => s.IsDiskFull ? 1 : 0);
        Measure(created, "ashlar.kv.log.sync.time", "s", "Mean time of a flush of the log", s => s.SyncTimeMean.TotalSeconds);
        Measure(
            created, "ashlar.kv.log.sync.time.p99", "s", "What 99 of 100 flushes of the log did not exceed",
            s => s.SyncTime99.TotalSeconds);
        Measure(created, "ashlar.kv.delay", "s/MiBy", "What each MiB written waits for", s => s.DelayPerMebibyte.TotalSeconds);
        Measure(
            created, "ashlar.kv.time_to_stall", "s", "When writes will be stopped at present rates; absent if that is not in sight",
            s => s.TimeToStall?.TotalSeconds);
        Measure(
            created, "ashlar.kv.write_amplification", "1", "Bytes written for one byte of keys and values", s => s.WriteAmplification);
        Measure(
            created, "ashlar.kv.space_amplification", "1", "Bytes on disk, without what is reserved, for one that is live",
            s => s.SpaceAmplification);
        Levels(created, "ashlar.kv.level.tables", "{table}", "Tables of a level", level => level.Tables);
        Levels(created, "ashlar.kv.level.size", "By", "Size of a level", level => level.Bytes);
        Levels(created, "ashlar.kv.level.entries", "{entry}", "Entries of a level", level => level.Entries);
        return created;
    }

    static void Count(Meter target, string name, string unit, string description, Func<KeyValueStatistics, long> value) =>
        target.CreateObservableCounter(name, () => Observe(name, s => (long?)value(s)), unit, description);

    static void Gauge(Meter target, string name, string unit, string description, Func<KeyValueStatistics, long> value) =>
        target.CreateObservableGauge(name, () => Observe(name, s => (long?)value(s)), unit, description);

    static void CountTime(Meter target, string name, string description, Func<KeyValueStatistics, TimeSpan> value) =>
        target.CreateObservableCounter(name, () => Observe(name, s => (double?)value(s).TotalSeconds), "s", description);

    static void Measure(Meter target, string name, string unit, string description, Func<KeyValueStatistics, double?> value) =>
        target.CreateObservableGauge(name, () => Observe(name, value), unit, description);

    static void Levels(Meter target, string name, string unit, string description, Func<LevelStatistics, long> value) =>
        target.CreateObservableGauge(
            name,
            () => Snapshots(name).SelectMany(one => one.Statistics.Levels.Select(level => new Measurement<long>(
                value(level), new(StoreTag, one.Store), new("level", level.Level)))),
            unit, description);

    static IEnumerable<Measurement<T>> Observe<T>(string instrument, Func<KeyValueStatistics, T?> value)
        where T : struct
    {
        foreach (var (store, statistics) in Snapshots(instrument))
        {
            if (value(statistics) is { } found) yield return new Measurement<T>(found, new KeyValuePair<string, object?>(StoreTag, store));
        }
    }

    static IEnumerable<(string Store, KeyValueStatistics Statistics)> Snapshots(string instrument)
    {
        foreach (var (store, directory) in Stores)
        {
            KeyValueStatistics? statistics = null;
            try
            {
                statistics = store.For(instrument);
            }
            catch (ObjectDisposedException)
            {
                // Closed meanwhile.
            }

            if (statistics is not null) yield return (directory, statistics);
        }
    }
}
