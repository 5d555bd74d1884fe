using System.Buffers;
using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

public sealed partial class KeyValueStore
{
    /// <summary>Reads a value; null when the key is absent.</summary>
    /// <exception cref="CorruptDataException">What holds the value is damaged.</exception>
    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        gets.Increment();
        using var read = state.Read();
        return read.Version.TryGet(read.Slot, key, state.VisibleSequence, state.Clock, out var found) ? found.ToArray(state.Values) : null;
    }

    /// <summary>Reads a value into a writer without allocating; false when the key is absent.</summary>
    /// <exception cref="CorruptDataException">What holds the value is damaged.</exception>
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        gets.Increment();
        using var read = state.Read();
        if (!read.Version.TryGet(read.Slot, key, state.VisibleSequence, state.Clock, out var found)) return false;
        found.CopyTo(value, state.Values);
        return true;
    }

    /// <summary>Reads a value into memory; false when the key is absent.</summary>
    /// <param name="key">The key.</param>
    /// <param name="destination">Gets the value, or as much of its beginning as fits.</param>
    /// <param name="valueLengthBytes">Length of the whole value; 0 when the key is absent.</param>
    /// <exception cref="CorruptDataException">What holds the value is damaged.</exception>
    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes)
    {
        gets.Increment();
        using var read = state.Read();
        valueLengthBytes = 0;
        if (!read.Version.TryGet(read.Slot, key, state.VisibleSequence, state.Clock, out var found)) return false;
        valueLengthBytes = found.CopyTo(destination, state.Values);
        return true;
    }

    /// <summary>Opens a cursor over a range as it is now; later writes are not seen. Dispose it.</summary>
    /// <remarks>Nothing is read before the first <see cref="KeyValueCursor.MoveNext"/>.</remarks>
    public KeyValueCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward)
    {
        EnumArgument.RequireDefined(direction);
        var version = state.AcquireNewest(out var sequence);
        return new KeyValueCursor(state, version, sequence, range, direction);
    }

    /// <summary>What holds the blocks of tables, for tests that count them.</summary>
    internal BlockCache Cache => cache;

    internal StoreState State => state;

    /// <summary>Takes a snapshot: the store as it is now, for reading. Dispose it.</summary>
    public KeyValueSnapshot CreateSnapshot()
    {
        ThrowIfClosed();
        return new KeyValueSnapshot(state);
    }
}
