using System.Buffers;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding;

public sealed partial class ShardedKeyValueStore
{
    internal const int PatientAttempts = 8;

    /// <inheritdoc />
    public byte[]? Get(ReadOnlySpan<byte> key) => Get(key, out _);

    /// <inheritdoc />
    /// <remarks>Sequences belong to shards: those of keys of different shards say nothing of each other.</remarks>
    public byte[]? Get(ReadOnlySpan<byte> key, out KeyValueEntryInfo info)
    {
        if (!IsSalted(key)) return ShardOf(key).Get(key, out info);
        return TryGetNewest(new StoreReader(shards), key, out var value, out info) ? value.ToArray() : null;
    }

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (!IsSalted(key)) return ShardOf(key).TryGet(key, value);
        if (!TryGetNewest(new StoreReader(shards), key, out var found)) return false;
        value.Write(found);
        return true;
    }

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes)
    {
        if (!IsSalted(key)) return ShardOf(key).TryGet(key, destination, out valueLengthBytes);
        var isThere = TryGetNewest(new StoreReader(shards), key, out var found);
        valueLengthBytes = found.Length;
        return isThere && found.TryCopyTo(destination);
    }

    /// <inheritdoc />
    public bool ContainsKey(ReadOnlySpan<byte> key) => TryGetInfo(key, out _);

    /// <inheritdoc />
    /// <remarks>Sequences belong to shards: those of keys of different shards say nothing of each other.</remarks>
    public bool TryGetInfo(ReadOnlySpan<byte> key, out KeyValueEntryInfo info) => IsSalted(key)
        ? TryGetNewest(new StoreReader(shards), key, out _, out info)
        : ShardOf(key).TryGetInfo(key, out info);

    /// <inheritdoc />
    /// <remarks>Keys of several shards are read as of one moment by a snapshot of all.</remarks>
    public byte[]?[] MultiGet(ReadOnlySpan<ReadOnlyMemory<byte>> keys)
    {
        if (keys.IsEmpty) return [];
        var only = GetShard(keys[0].Span);
        foreach (var key in keys) only = GetShard(key.Span) == only ? only : -1;
        if (only >= 0) return shards[only].MultiGet(keys);
        using var snapshot = CreateSnapshot();
        return snapshot.MultiGet(keys);
    }

    /// <summary>
    /// Opens a cursor over a range as it is now, all shards at one moment; later writes are not seen. Dispose it.
    /// </summary>
    public ShardedKeyValueCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward)
    {
        EnumArgument.RequireDefined(direction);
        ThrowIfClosed();
        if (OnlyShardOf(range) is >= 0 and var only)
            return new ShardedKeyValueCursor(this, [shards[only].Scan(range, direction)], direction);
        using var snapshot = CreateSnapshot();
        return snapshot.Scan(range, direction);
    }

    IKeyValueCursor IKeyValueReader.Scan(KeyRange range, ScanDirection direction) => Scan(range, direction);

    /// <summary>Takes a snapshot: all shards as they are at one moment, for reading. Dispose it.</summary>
    public ShardedKeyValueSnapshot CreateSnapshot()
    {
        ThrowIfClosed();
        return new ShardedKeyValueSnapshot(this, TakeSnapshots());
    }

    IKeyValueSnapshot IKeyspace.CreateSnapshot() => CreateSnapshot();

    /// <summary>Called before the snapshot of each shard: for tests that write at that moment.</summary>
    internal Action<int>? BeforeShardSnapshot { get; set; }

    internal int GetOnlyShard(KeyRange range) => OnlyShardOf(range);

    // A write that completed before another began must be in the snapshot if that other is. Sequences only grow: if, after a
    // snapshot of every shard was taken, each shard still shows the sequence of its snapshot, then all of them showed
    // exactly that at the moment when the last was taken. No writer is held back for it, unless they are so busy that
    // such a moment does not come by itself.
    KeyValueSnapshot[] TakeSnapshots()
    {
        var spin = default(SpinWait);
        var isGateClosed = false;
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                if (TryTakeSnapshots() is { } snapshots) return snapshots;
                if (attempt == PatientAttempts)
                {
                    gate.Close();
                    isGateClosed = true;
                }

                spin.SpinOnce(sleep1Threshold: -1);
            }
        }
        finally
        {
            if (isGateClosed) gate.Open();
        }
    }

    KeyValueSnapshot[]? TryTakeSnapshots()
    {
        var snapshots = new KeyValueSnapshot[shards.Length];
        var taken = 0;
        var isOneMoment = false;
        try
        {
            for (; taken < shards.Length; taken++)
            {
                BeforeShardSnapshot?.Invoke(taken);
                snapshots[taken] = shards[taken].CreateSnapshot();
            }

            isOneMoment = true;
            for (var i = 0; i < shards.Length; i++) isOneMoment &= shards[i].VisibleSequence == snapshots[i].Sequence;
        }
        finally
        {
            if (!isOneMoment)
            {
                for (var i = 0; i < taken; i++) snapshots[i].Dispose();
            }
        }

        return isOneMoment ? snapshots : null;
    }
}
