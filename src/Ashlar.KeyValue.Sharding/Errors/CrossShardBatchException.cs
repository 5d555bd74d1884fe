using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding;

/// <summary>
/// A batch has keys of more than one shard, so it cannot be applied atomically; nothing of it was written. See
/// <see cref="ShardedKeyValueStore.WritePerShard"/> and <see cref="ShardedKeyValueOptions.HashedPrefixBytes"/>.
/// </summary>
public sealed class CrossShardBatchException(int firstShard, int otherShard)
    : ArgumentException($"The batch has keys of shard {firstShard} and of shard {otherShard}; only a batch within one shard is atomic."),
    IClassifiedFailure
{
    /// <summary>Shard of the first key.</summary>
    public int FirstShard { get; } = firstShard;

    /// <summary>Another shard that a key belongs to.</summary>
    public int OtherShard { get; } = otherShard;

    /// <inheritdoc />
    public FailureClass FailureClass => FailureClass.InvalidRequest;
}
