using System.Buffers;
using Ashlar.KeyValue.Sharding.Salting;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding;

// Salting: a key under the salted prefix has a copy in every shard, and a write goes to any one of them. Each write takes a
// stamp from one counter, between its beginning and its end; the copy with the largest stamp counts.
//   - Stamps of one shard grow in the order of its log: one leader at a time stamps and writes (SaltQueue). So a copy never
//     goes back, and neither does the largest over all copies.
//   - A write that completed before another began has the smaller stamp. Reads and writes of a key can therefore be put
//     into the order of stamps, which real time agrees with: operations on it are linearizable, as of other keys.
//   - After a crash the counter goes on behind the largest stamp that is found. A lost write's stamp may be given out
//     again: nobody holds a copy with it.
// An expiring copy would lay an older one of another shard bare, so these keys do not expire.
public sealed partial class ShardedKeyValueStore
{
    [ThreadStatic]
    static ArrayBufferWriter<byte>? newestCopy, otherCopy;

    readonly SaltQueue[] saltQueues;
    ulong lastStamp;
    uint saltTurn;

    /// <summary>Keys that begin with this have a copy in every shard; none if it is empty.</summary>
    public ReadOnlyMemory<byte> SaltedPrefix => layout.SaltedPrefix;

    internal bool IsSalted(ReadOnlySpan<byte> key) => layout.SaltedPrefix.Length > 0 && key.StartsWith(layout.SaltedPrefix);

    internal bool MayBeSalted(KeyRange range)
    {
        if (layout.SaltedPrefix.Length == 0) return false;
        var salted = KeyRange.Prefix(layout.SaltedPrefix);
        return (!range.HasEnd || range.End.SequenceCompareTo(layout.SaltedPrefix) > 0)
            && (!salted.HasEnd || range.Start.SequenceCompareTo(salted.End) < 0);
    }

    internal string ShardPath(int shard) => directory.ShardPath(shard);

    /// <summary>Reads a copy of each shard; true if the newest is a put, whose value is then in the thread's buffer.</summary>
    internal bool TryGetNewest<TReader>(TReader reader, ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
        where TReader : struct, IShardReader => TryGetNewest(reader, key, out value, out _);

    /// <inheritdoc cref="TryGetNewest{TReader}(TReader, ReadOnlySpan{byte}, out ReadOnlySpan{byte})" />
    /// <remarks>What is told of it: its stamp as sequence, which is that of no other write; it does not expire.</remarks>
    internal bool TryGetNewest<TReader>(
        TReader reader, ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value, out KeyValueEntryInfo info)
        where TReader : struct, IShardReader
    {
        var newest = newestCopy ??= new ArrayBufferWriter<byte>();
        var other = otherCopy ??= new ArrayBufferWriter<byte>();
        newest.ResetWrittenCount();
        for (var shard = 0; shard < shards.Length; shard++)
        {
            other.ResetWrittenCount();
            if (!reader.TryGet(shard, key, other)) continue;
            SaltedValue.RequireSound(other.WrittenSpan, ShardPath(shard), key);
            if (newest.WrittenCount == 0 || SaltedValue.ReadStamp(other.WrittenSpan) > SaltedValue.ReadStamp(newest.WrittenSpan))
                (newest, other) = (other, newest);
        }

        (newestCopy, otherCopy) = (newest, other);
        var isThere = newest.WrittenCount > 0 && !SaltedValue.IsDelete(newest.WrittenSpan);
        value = isThere ? newest.WrittenSpan[SaltedValue.HeadBytes..] : default;
        info = isThere ? new(SaltedValue.ReadStamp(newest.WrittenSpan), null) : default;
        return isThere;
    }

    void FindLastStamp()
    {
        if (layout.SaltedPrefix.Length == 0) return;
        for (var shard = 0; shard < shards.Length; shard++)
        {
            using var cursor = shards[shard].Scan(KeyRange.Prefix(layout.SaltedPrefix));
            while (cursor.MoveNext())
            {
                SaltedValue.RequireSound(cursor.Value, ShardPath(shard), cursor.Key);
                lastStamp = Math.Max(lastStamp, SaltedValue.ReadStamp(cursor.Value));
            }
        }
    }

    int NextSaltShard() => (int)(Interlocked.Increment(ref saltTurn) % (uint)shards.Length);

    /// <summary>Whether a batch has salted keys; if so, what they may be is checked.</summary>
    bool HasSalted(WriteBatch batch)
    {
        if (layout.SaltedPrefix.Length == 0) return false;
        var hasSalted = false;
        foreach (var entry in batch)
        {
            if (entry.IsRangeDelete) continue; // It has none.
            if (!entry.IsDelete) RequireAllowed(entry.Key, entry.Value);
            if (!IsSalted(entry.Key)) continue;
            if (entry.ExpiresAt is not null) throw SaltedExpires();
            hasSalted = true;
        }

        return hasSalted;
    }

    // Not the shards, if there may be salted keys: they do not tell the mark of a deleted key from a put, and what one refused would take
    // those along that it is written with.
    void RequireAllowed(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (layout.SaltedPrefix.Length == 0) return;
        if (key.Length > options.MaxKeyBytes) throw new KeyLengthException(key.Length, options.MaxKeyBytes);
        var longest = options.MaxValueBytes - (IsSalted(key) ? SaltedValue.HeadBytes : 0);
        if (value.Length > longest) throw new ValueTooLongException(value.Length, longest);
    }

    static KeyValueOptions Unlimited(KeyValueOptions options) => options with
    {
        MaxKeyBytes = KeyValueOptions.KeyLimitBytes,
        MaxValueBytes = KeyValueOptions.ValueLimitBytes,
    };

    void Stamp(WriteBatch batch, WriteBatch stamped)
    {
        foreach (var entry in batch)
        {
            if (!IsSalted(entry.Key))
            {
                stamped.Add(entry);
                continue;
            }

            var stored = ArrayPool<byte>.Shared.Rent(SaltedValue.HeadBytes + entry.Value.Length);
            var stamp = Interlocked.Increment(ref lastStamp);
            Invariant.Require(stamp > 0); // The copy with the largest counts.
            SaltedValue.Write(stored, stamp, entry.IsDelete, entry.Value);
            stamped.Put(entry.Key, stored.AsSpan(0, SaltedValue.HeadBytes + entry.Value.Length));
            ArrayPool<byte>.Shared.Return(stored);
        }
    }

    static NotSupportedException SaltedExpires() =>
        new("An entry under the salted prefix cannot expire: an older copy in another shard would be laid bare.");

    static NotSupportedException SaltedCondition() =>
        new("A write of an entry under the salted prefix cannot have conditions: copies in other shards are written meanwhile.");

    /// <summary>Where the newest copy of a key is looked for.</summary>
    internal interface IShardReader
    {
        bool TryGet(int shard, ReadOnlySpan<byte> key, IBufferWriter<byte> value);
    }

    readonly struct StoreReader(KeyValueStore[] shards) : IShardReader
    {
        public bool TryGet(int shard, ReadOnlySpan<byte> key, IBufferWriter<byte> value) => shards[shard].TryGet(key, value);
    }
}
