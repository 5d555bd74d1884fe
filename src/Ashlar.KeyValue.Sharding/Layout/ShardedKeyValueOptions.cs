using Ashlar.KeyValue.Sharding.Layout;

namespace Ashlar.KeyValue.Sharding;

/// <summary>How a sharded store is opened. What is fixed at creation may be left null later.</summary>
public sealed record ShardedKeyValueOptions
{
    /// <summary>Shards of a store that is created without saying how many.</summary>
    public const int DefaultShardCount = 4;

    /// <summary>Most shards.</summary>
    public const int MaxShardCount = ShardFile.MaxShards;

    /// <summary>
    /// How many engines the keys are spread over, 1 to <see cref="MaxShardCount"/>; fixed when the store is created. Null takes
    /// what the store has, or <see cref="DefaultShardCount"/> for a new one.
    /// </summary>
    public int? ShardCount { get; init; }

    /// <summary>
    /// How many bytes at the beginning of a key decide on its shard, 0 for the whole key; fixed when the store is created. Keys
    /// that agree in them are in one shard: they can be in one batch, and a scan of such a prefix reads one shard. Null
    /// takes what the store has, or 0 for a new one.
    /// </summary>
    public int? HashedPrefixBytes { get; init; }

    /// <summary>
    /// Keys that begin with this are hot: each write of one goes to any shard, in turn, so that all of them share the load, and a read
    /// looks into every shard for the newest copy. Fixed when the store is created; empty means none. Null takes what
    /// the store has, or none for a new one.
    /// </summary>
    /// <remarks>
    /// Operations on such a key are ordered as on any other. What it costs: as many reads as there are shards for each
    /// read, a copy in every shard, 9 bytes more per copy, a small mark in every shard that a deleted key was written to, a
    /// look at all salted keys when the store is opened; and they cannot expire. It pays for a few keys that are
    /// written all the time and read less.
    /// </remarks>
    public ReadOnlyMemory<byte>? SaltedPrefix { get; init; }

    /// <summary>
    /// How each shard is opened. <see cref="KeyValueOptions.MemTableBytes"/> and <see cref="KeyValueOptions.LogSegmentBytes"/> (1 MiB
    /// at the least, or what is given), <see cref="KeyValueOptions.BlockCacheBytes"/>, <see cref="KeyValueOptions.MaxOpenFiles"/>,
    /// <see cref="KeyValueOptions.RelaxedLossBytes"/> and <see cref="KeyValueOptions.SpaceReserveBytes"/> where it is given are for the
    /// whole store: each shard gets its part. All else is for each shard.
    /// </summary>
    public KeyValueOptions Store { get; init; } = KeyValueOptions.Default;

    /// <summary>
    /// Whether shards are opened, flushed, merged and closed one after the other: for tests that need one order of events.
    /// </summary>
    internal bool OneByOne { get; init; }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Store, nameof(Store));
        Store.Validate();
        if (ShardCount is { } count)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(ShardCount));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaxShardCount, nameof(ShardCount));
        }

        if (HashedPrefixBytes is { } bytes)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(bytes, nameof(HashedPrefixBytes));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, ShardFile.LongestPrefixBytes, nameof(HashedPrefixBytes));
        }

        if (SaltedPrefix is { } salted)
            ArgumentOutOfRangeException.ThrowIfGreaterThan(salted.Length, ShardFile.LongestPrefixBytes, nameof(SaltedPrefix));
    }

    /// <summary>One shard's part of the budgets.</summary>
    internal KeyValueOptions ForShard(int shardCount) => Store with
    {
        MemTableBytes = Math.Max(Store.MemTableBytes / shardCount, Math.Min(Store.MemTableBytes, 1 << 20)),
        LogSegmentBytes = Math.Max(Store.LogSegmentBytes / shardCount, Math.Min(Store.LogSegmentBytes, 1 << 20)),
        SpaceReserveBytes = Store.SpaceReserveBytes / shardCount,
        BlockCacheBytes = Store.BlockCacheBytes / shardCount,
        RelaxedLossBytes = Store.RelaxedLossBytes / shardCount,
        MaxOpenFiles = Math.Max(1, Store.MaxOpenFiles / shardCount),
    };

    /// <summary>The same, with an archive of its own.</summary>
    internal KeyValueOptions ForShard(int shardCount, int shard) => ForShard(shardCount) with
    {
        LogArchiveDirectory = Store.LogArchiveDirectory is { } archive ? $"{archive}/{ShardDirectory.NameOf(shard)}" : null,
    };
}
