namespace Ashlar.KeyValue.Sharding.Statistics;

/// <summary>
/// Statistics of several shards as those of one store: sums, the worst latency, the earliest stall. Sequences are left out: each shard
/// has its own.
/// </summary>
static class ShardStatistics
{
    public static KeyValueStatistics Sum(KeyValueStatistics[] shards) => new()
    {
        Puts = shards.Sum(shard => shard.Puts),
        Deletes = shards.Sum(shard => shard.Deletes),
        Batches = shards.Sum(shard => shard.Batches),
        BytesPut = shards.Sum(shard => shard.BytesPut),
        Gets = shards.Sum(shard => shard.Gets),
        CommitGroups = shards.Sum(shard => shard.CommitGroups),
        Syncs = shards.Sum(shard => shard.Syncs),
        SyncTimeMean = shards.Max(shard => shard.SyncTimeMean),
        SyncTimeMedian = shards.Max(shard => shard.SyncTimeMedian),
        SyncTime99 = shards.Max(shard => shard.SyncTime99),
        LogBytesWritten = shards.Sum(shard => shard.LogBytesWritten),
        FlushBytesWritten = shards.Sum(shard => shard.FlushBytesWritten),
        CompactionBytesRead = shards.Sum(shard => shard.CompactionBytesRead),
        CompactionBytesWritten = shards.Sum(shard => shard.CompactionBytesWritten),
        Flushes = shards.Sum(shard => shard.Flushes),
        Compactions = shards.Sum(shard => shard.Compactions),
        TableMoves = shards.Sum(shard => shard.TableMoves),
        WriteStalls = shards.Sum(shard => shard.WriteStalls),
        StallTime = new TimeSpan(shards.Sum(shard => shard.StallTime.Ticks)),
        WriteSlowDowns = shards.Sum(shard => shard.WriteSlowDowns),
        SlowDownTime = new TimeSpan(shards.Sum(shard => shard.SlowDownTime.Ticks)),
        SpaceSlowDownTime = new TimeSpan(shards.Sum(shard => shard.SpaceSlowDownTime.Ticks)),
        DelayPerMebibyte = shards.Max(shard => shard.DelayPerMebibyte),
        DebtBytes = shards.Sum(shard => shard.DebtBytes),
        SpaceDebtBytes = shards.Sum(shard => shard.SpaceDebtBytes),
        TimeToStall = shards.Min(shard => shard.TimeToStall),
        LastBackgroundFailure = shards.Select(shard => shard.LastBackgroundFailure).FirstOrDefault(failure => failure is not null),
        MemTableBytes = shards.Sum(shard => shard.MemTableBytes),
        MemTableEntries = shards.Sum(shard => shard.MemTableEntries),
        ImmutableMemTables = shards.Sum(shard => shard.ImmutableMemTables),
        LogSegments = shards.Sum(shard => shard.LogSegments),
        ValueSegments = shards.Sum(shard => shard.ValueSegments),
        ValueBytes = shards.Sum(shard => shard.ValueBytes),
        MovedValueBytes = shards.Sum(shard => shard.MovedValueBytes),
        ReferencedValueBytes = shards.Sum(shard => shard.ReferencedValueBytes),
        Levels = [.. shards.SelectMany(shard => shard.Levels).GroupBy(level => level.Level).OrderBy(group => group.Key).Select(SumLevel)],
        ArchivedSequence = (ulong)shards.Sum(shard => (long)shard.ArchivedSequence),
        ArchiveParts = shards.Sum(shard => shard.ArchiveParts),
        ArchiveLagBytes = shards.Sum(shard => shard.ArchiveLagBytes),
        ArchiveLag = shards.Max(shard => shard.ArchiveLag),
        LastArchiveFailure = shards.Select(shard => shard.LastArchiveFailure).FirstOrDefault(failure => failure is not null),
        CacheBytes = shards.Sum(shard => shard.CacheBytes),
        OpenFiles = shards.Sum(shard => shard.OpenFiles),
        CacheHits = shards.Sum(shard => shard.CacheHits),
        CacheMisses = shards.Sum(shard => shard.CacheMisses),
        CacheValueHits = shards.Sum(shard => shard.CacheValueHits),
        CacheValueMisses = shards.Sum(shard => shard.CacheValueMisses),
        SpaceBytes = shards.Sum(shard => shard.SpaceBytes),
        LiveBytes = shards.Sum(shard => shard.LiveBytes),
        LogBytes = shards.Sum(shard => shard.LogBytes),
        LogAheadBytes = shards.Sum(shard => shard.LogAheadBytes),
        VictimBytes = shards.Sum(shard => shard.VictimBytes),
        ReservedBytes = shards.Sum(shard => shard.ReservedBytes),
        IsDiskFull = shards.Any(shard => shard.IsDiskFull),
        KeptFiles = shards.Sum(shard => shard.KeptFiles),
        KeptFileBytes = shards.Sum(shard => shard.KeptFileBytes),
        BlockBytes = shards.Sum(shard => shard.BlockBytes),
        CacheTakenBytes = shards.Sum(shard => shard.CacheTakenBytes),
        Snapshots = shards.Max(shard => shard.Snapshots),
        Cursors = shards.Sum(shard => shard.Cursors),
    };

    static LevelStatistics SumLevel(IGrouping<int, LevelStatistics> levels) => new(
        levels.Key,
        levels.Sum(level => level.Tables),
        levels.Sum(level => level.Bytes),
        levels.Sum(level => level.Entries),
        levels.Sum(level => level.Tombstones));
}
