using System.Buffers;
using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    /// <inheritdoc />
    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        gets.Increment();
        using var read = state.Read();
        return read.Version.TryGet(read.Slot, key, state.VisibleSequence, state.Clock, out var found) ? found.ToArray(state.Values) : null;
    }

    /// <inheritdoc />
    public byte[]? Get(ReadOnlySpan<byte> key, out KeyValueEntryInfo info)
    {
        gets.Increment();
        info = default;
        using var read = state.Read();
        if (!read.Version.TryGet(read.Slot, key, state.VisibleSequence, state.Clock, out var found)) return null;
        info = found.Info;
        return found.ToArray(state.Values);
    }

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        gets.Increment();
        using var read = state.Read();
        if (!read.Version.TryGet(read.Slot, key, state.VisibleSequence, state.Clock, out var found)) return false;
        found.CopyTo(value, state.Values);
        return true;
    }

    /// <inheritdoc />
    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes)
    {
        gets.Increment();
        using var read = state.Read();
        valueLengthBytes = 0;
        if (!read.Version.TryGet(read.Slot, key, state.VisibleSequence, state.Clock, out var found)) return false;
        return found.TryCopyTo(destination, state.Values, out valueLengthBytes);
    }

    /// <inheritdoc />
    public bool ContainsKey(ReadOnlySpan<byte> key) => TryGetInfo(key, out _);

    /// <inheritdoc />
    public bool TryGetInfo(ReadOnlySpan<byte> key, out KeyValueEntryInfo info)
    {
        gets.Increment();
        info = default;
        using var read = state.Read();
        if (!read.Version.TryGet(read.Slot, key, state.VisibleSequence, state.Clock, out var found)) return false;
        info = found.Info;
        return true;
    }

    /// <inheritdoc />
    public byte[]?[] MultiGet(ReadOnlySpan<ReadOnlyMemory<byte>> keys)
    {
        var version = state.AcquireNewest(out var sequence);
        try
        {
            gets.Add(keys.Length);
            return MultiRead.Run(state, version, sequence, keys);
        }
        finally
        {
            version.Release();
        }
    }

    /// <summary>Opens a cursor over a range as it is now; later writes are not seen. Dispose it, or walk it by <c>foreach</c>.</summary>
    /// <remarks>Nothing is read before the first <see cref="KeyValueCursor.MoveNext"/>.</remarks>
    public KeyValueCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward)
    {
        EnumArgument.RequireDefined(direction);
        var version = state.AcquireNewest(out var sequence);
        // After: what it shows of keyspaces was put when there were some.
        return new KeyValueCursor(state, version, sequence, state.HasKeyspaces ? range.Until(KeyspaceRegion.Start) : range, direction);
    }

    IKeyValueCursor IKeyValueReader.Scan(KeyRange range, ScanDirection direction) => Scan(range, direction);

    /// <summary>What holds the blocks of tables, for tests that count them.</summary>
    internal BlockCache Cache => cache;

    internal StoreState State => state;

    /// <summary>Takes a snapshot: the store as it is now, for reading. Dispose it.</summary>
    public KeyValueSnapshot CreateSnapshot()
    {
        ThrowIfClosed();
        return new KeyValueSnapshot(this);
    }

    IKeyValueSnapshot IKeyspace.CreateSnapshot() => CreateSnapshot();
}
