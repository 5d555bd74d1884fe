namespace Ashlar.KeyValue;

/// <summary>Statistics of several shards as those of one store.</summary>
static class ShardStatistics
{
    public static KeyValueStatistics Sum(KeyValueStatistics[] shards) => new()
    {
        LastSequence = (ulong)shards.Sum(shard => (long)shard.LastSequence),
        DurableSequence = (ulong)shards.Sum(shard => (long)shard.DurableSequence),
        CommitGroups = shards.Sum(shard => shard.CommitGroups),
        Syncs = shards.Sum(shard => shard.Syncs),
        LogBytesWritten = shards.Sum(shard => shard.LogBytesWritten),
        TableBytesWritten = shards.Sum(shard => shard.TableBytesWritten),
        Flushes = shards.Sum(shard => shard.Flushes),
        Compactions = shards.Sum(shard => shard.Compactions),
        WriteStalls = shards.Sum(shard => shard.WriteStalls),
        LastBackgroundFailure = shards.Select(shard => shard.LastBackgroundFailure).FirstOrDefault(failure => failure is not null),
        MemTableBytes = shards.Sum(shard => shard.MemTableBytes),
        ImmutableMemTables = shards.Sum(shard => shard.ImmutableMemTables),
        LogSegments = shards.Sum(shard => shard.LogSegments),
        TablesPerLevel = SumPerLevel(shards),
        TableBytes = shards.Sum(shard => shard.TableBytes),
        TableEntries = shards.Sum(shard => shard.TableEntries),
        CacheBytes = shards.Sum(shard => shard.CacheBytes),
        CacheHits = shards.Sum(shard => shard.CacheHits),
        CacheMisses = shards.Sum(shard => shard.CacheMisses),
        Snapshots = shards.Max(shard => shard.Snapshots),
    };

    static int[] SumPerLevel(KeyValueStatistics[] shards)
    {
        var sums = new int[shards.Max(shard => shard.TablesPerLevel.Count)];
        foreach (var shard in shards)
        {
            for (var level = 0; level < shard.TablesPerLevel.Count; level++) sums[level] += shard.TablesPerLevel[level];
        }

        return sums;
    }
}
