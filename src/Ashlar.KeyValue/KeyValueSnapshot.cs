using System.Buffers;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// The store at one point in time, except that entries go on expiring. Safe for concurrent callers. Until it is disposed,
/// compaction keeps the entries that it can read.
/// </summary>
public sealed class KeyValueSnapshot : IDisposable
{
    readonly StoreState state;
    int isDisposed;

    internal KeyValueSnapshot(StoreState state)
    {
        this.state = state;
        Sequence = state.AddSnapshot();
    }

    /// <summary>Sequence of the last write that the snapshot sees.</summary>
    public ulong Sequence { get; }

    /// <summary>Reads a value as it was; null when the key was absent.</summary>
    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        using var read = Read();
        return read.Version.TryGet(read.Slot, key, Sequence, state.Clock, out var found) ? found.ToArray(state.Values) : null;
    }

    /// <summary>Reads a value as it was into a writer; false when the key was absent.</summary>
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        using var read = Read();
        if (!read.Version.TryGet(read.Slot, key, Sequence, state.Clock, out var found)) return false;
        found.CopyTo(value, state.Values);
        return true;
    }

    /// <summary>Reads a value as it was into memory; false when the key was absent.</summary>
    /// <param name="key">The key.</param>
    /// <param name="destination">Gets the value, or as much of its beginning as fits.</param>
    /// <param name="valueLengthBytes">Length of the whole value; 0 when the key was absent.</param>
    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes)
    {
        using var read = Read();
        valueLengthBytes = 0;
        if (!read.Version.TryGet(read.Slot, key, Sequence, state.Clock, out var found)) return false;
        valueLengthBytes = found.CopyTo(destination, state.Values);
        return true;
    }

    /// <summary>Opens a cursor over a range as it was. The cursor may outlive the snapshot.</summary>
    public KeyValueCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward)
    {
        EnumArgument.RequireDefined(direction);
        return new(state, Acquire(), Sequence, range, direction);
    }

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
