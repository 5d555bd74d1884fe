using System.Buffers;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// The store at one point in time, except that entries go on expiring. Safe for concurrent callers. Until it is disposed,
/// compaction keeps the entries that it can read.
/// </summary>
public sealed class KeyValueSnapshot : IKeyValueSnapshot
{
    readonly KeyValueStore store;
    readonly StoreState state;
    int isDisposed;

    internal KeyValueSnapshot(KeyValueStore store)
    {
        this.store = store;
        state = store.State;
        Sequence = state.AddSnapshot();
    }

    /// <summary>Sequence of the last write that the snapshot sees.</summary>
    public ulong Sequence { get; }

    /// <inheritdoc />
    public byte[]? Get(ReadOnlySpan<byte> key) => Get(key, out _);

    /// <inheritdoc />
    public byte[]? Get(ReadOnlySpan<byte> key, out KeyValueEntryInfo info)
    {
        info = default;
        using var read = Read();
        if (!read.Version.TryGet(read.Slot, key, Sequence, state.Clock, out var found)) return null;
        info = found.Info;
        return found.ToArray(state.Values);
    }

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        using var read = Read();
        if (!read.Version.TryGet(read.Slot, key, Sequence, state.Clock, out var found)) return false;
        found.CopyTo(value, state.Values);
        return true;
    }

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes)
    {
        using var read = Read();
        valueLengthBytes = 0;
        if (!read.Version.TryGet(read.Slot, key, Sequence, state.Clock, out var found)) return false;
        return found.TryCopyTo(destination, state.Values, out valueLengthBytes);
    }

    /// <inheritdoc />
    public bool ContainsKey(ReadOnlySpan<byte> key) => TryGetInfo(key, out _);

    /// <inheritdoc />
    public bool TryGetInfo(ReadOnlySpan<byte> key, out KeyValueEntryInfo info)
    {
        info = default;
        using var read = Read();
        if (!read.Version.TryGet(read.Slot, key, Sequence, state.Clock, out var found)) return false;
        info = found.Info;
        return true;
    }

    /// <inheritdoc />
    public byte[]?[] MultiGet(ReadOnlySpan<ReadOnlyMemory<byte>> keys)
    {
        var version = Acquire();
        try
        {
            return MultiRead.Run(state, version, Sequence, keys);
        }
        finally
        {
            version.Release();
        }
    }

    /// <summary>Opens a cursor over a range as it was. The cursor may outlive the snapshot.</summary>
    public KeyValueCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward)
    {
        return ScanAll(state.HasKeyspaces ? range.Until(KeyspaceRegion.Start) : range, direction);
    }

    /// <summary>A keyspace as it was: also one that was dropped since.</summary>
    /// <exception cref="ArgumentException">The keyspace is one of another store, or of another opening of this one.</exception>
    public KeyspaceSnapshot In(Keyspace keyspace)
    {
        ArgumentNullException.ThrowIfNull(keyspace);
        store.RequireOwnKeyspace(keyspace.Identity, nameof(keyspace));
        return new(this, keyspace.Identity);
    }

    /// <summary>Opens a cursor over keys of any kind.</summary>
    internal KeyValueCursor ScanAll(KeyRange range, ScanDirection direction)
    {
        EnumArgument.RequireDefined(direction);
        return new(state, Acquire(), Sequence, range, direction);
    }

    IKeyValueCursor IKeyValueReader.Scan(KeyRange range, ScanDirection direction) => Scan(range, direction);

    /// <inheritdoc />
    public void Dispose()
    {
        if (Interlocked.Exchange(ref isDisposed, 1) == 0) state.RemoveSnapshot(Sequence);
    }

    ReadScope Read()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref isDisposed) != 0, this);
        return state.Read();
    }

    StoreVersion Acquire()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref isDisposed) != 0, this);
        return state.Acquire();
    }
}
