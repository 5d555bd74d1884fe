using Ashlar.KeyValue.Sharding.Salting;
using Ashlar.KeyValue.Sharding.Statistics;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding;

public sealed partial class ShardedKeyValueStore
{
    /// <summary>Writes what is in memory of all shards to tables, side by side, and returns when that is done.</summary>
    /// <inheritdoc cref="KeyValueStore.Flush" path="/exception" />
    public void Flush()
    {
        ThrowIfClosed();
        OnAllShards(shard => shards[shard].Flush());
    }

    /// <summary>
    /// Flushes, then merges all tables of each shard, which drops everything that no reader can see. Takes disk space for a second copy.
    /// </summary>
    /// <inheritdoc cref="KeyValueStore.Compact" path="/exception" />
    public void Compact()
    {
        ThrowIfClosed();
        OnAllShards(shard => shards[shard].Compact());
    }

    /// <summary>
    /// Archives every write that returned before this call, of all shards, each into a directory of its own within
    /// <see cref="KeyValueOptions.LogArchiveDirectory"/>.
    /// </summary>
    /// <inheritdoc cref="KeyValueStore.ArchiveLog" path="/exception" />
    public void ArchiveLog()
    {
        ThrowIfClosed();
        OnAllShards(shard => shards[shard].ArchiveLog());
    }

    /// <summary>Ends the archive of the log of all shards; see <see cref="KeyValueStore.EndLogArchive"/>.</summary>
    /// <inheritdoc cref="KeyValueStore.EndLogArchive" path="/exception" />
    public void EndLogArchive()
    {
        ThrowIfClosed();
        OnAllShards(shard => shards[shard].EndLogArchive());
    }

    /// <summary>
    /// Reads everything that is on disk and checks it as <see cref="KeyValueStore.Verify"/> does, and that every key is in the shard
    /// where it is looked for.
    /// </summary>
    public VerificationReport Verify()
    {
        ThrowIfClosed();
        var reports = new VerificationReport[shards.Length];
        OnAllShards(shard => reports[shard] = shards[shard].Verify());
        var misplaced = Enumerable.Range(0, shards.Length).Select(FindMisplaced).OfType<CorruptDataException>();
        return ShardVerification.Sum(reports, misplaced);
    }

    /// <summary>
    /// Counts and sizes of all shards together, cheap to take. There are no sequences in them, because each shard has its own: see
    /// <see cref="VisibleSequences"/>.
    /// </summary>
    public KeyValueStatistics GetStatistics() => ShardStatistics.Sum([.. shards.Select(shard => shard.GetStatistics())]);

    /// <summary>Counts and sizes of one shard.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such shard.</exception>
    public KeyValueStatistics GetStatistics(int shard)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shard);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard, shards.Length);
        return shards[shard].GetStatistics();
    }

    CorruptDataException? FindMisplaced(int shard)
    {
        using var cursor = shards[shard].Scan(KeyRange.All);
        try
        {
            while (cursor.MoveNext())
            {
                var right = GetShard(cursor.Key);
                if (right < 0)
                {
                    if (!SaltedValue.IsSound(cursor.Value)) return SaltedValue.Unsound(directory.ShardPath(shard), cursor.Key);
                    continue;
                }

                if (right != shard)
                    return new CorruptDataException(
                        directory.ShardPath(shard), 0, $"key {Convert.ToHexStringLower(cursor.Key)} belongs to shard {right}");
            }
        }
        catch (CorruptDataException)
        {
            // The report of the shard tells.
        }

        return null;
    }
}
