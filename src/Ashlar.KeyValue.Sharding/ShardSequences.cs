using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding;

/// <summary>
/// A place in the history of a sharded store: for each shard the sequence of a write. All writes up to it are those up to that sequence
/// in each shard. There is no one order of the writes of several shards, so two places need not be before or behind each other.
/// </summary>
/// <remarks>Only for the store that gave it, also after it was closed and opened again.</remarks>
public sealed class ShardSequences
{
    readonly ulong[] sequences;

    internal ShardSequences(ulong[] sequences)
    {
        Invariant.Require(sequences.Length > 0);
        this.sequences = sequences;
    }

    /// <summary>Number of shards.</summary>
    public int Count => sequences.Length;

    /// <summary>The sequence of a shard.</summary>
    public ulong this[int shard] => sequences[shard];

    /// <summary>Whether all writes up to another place are among those up to this one.</summary>
    public bool Covers(ShardSequences other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Count != Count) return false;
        for (var shard = 0; shard < sequences.Length; shard++)
        {
            if (sequences[shard] < other.sequences[shard]) return false;
        }

        return true;
    }

    /// <inheritdoc />
    public override string ToString() => string.Join('.', sequences);
}
