using System.Buffers;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// What can be read from: a store, plain or sharded, a snapshot of one, or a transaction. A key that is empty, or longer than any can be,
/// is absent. Stores and snapshots are safe for concurrent callers.
/// </summary>
public interface IKeyValueReader
{
    /// <summary>Reads a value; null when the key is absent.</summary>
    /// <exception cref="CorruptDataException">What holds the value is damaged.</exception>
    /// <exception cref="StorageException">The disk refused.</exception>
    /// <exception cref="ObjectDisposedException">The store, or the snapshot, is closed.</exception>
    byte[]? Get(ReadOnlySpan<byte> key);

    /// <summary>Reads a value, and when it was written and expires; null when the key is absent.</summary>
    /// <param name="key">The key.</param>
    /// <param name="info">Of the entry that the value is of.</param>
    /// <inheritdoc cref="Get(ReadOnlySpan{byte})" path="/exception"/>
    byte[]? Get(ReadOnlySpan<byte> key, out KeyValueEntryInfo info);

    /// <summary>Reads a value into a writer without allocating; false when the key is absent.</summary>
    /// <inheritdoc cref="Get(ReadOnlySpan{byte})" path="/exception"/>
    bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> value);

    /// <summary>Reads a value into memory without allocating.</summary>
    /// <param name="key">The key.</param>
    /// <param name="destination">Gets the value if it fits.</param>
    /// <param name="valueLengthBytes">Length of the value; 0 when the key is absent.</param>
    /// <returns>
    /// True if the value was copied. False when the key is absent, and also when <paramref name="destination"/> is too short: then nothing
    /// is copied, and <paramref name="valueLengthBytes"/> says how long it has to be.
    /// </returns>
    /// <inheritdoc cref="Get(ReadOnlySpan{byte})" path="/exception"/>
    bool TryGet(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes);

    /// <summary>Whether a key is present. Its value is not read.</summary>
    /// <inheritdoc cref="Get(ReadOnlySpan{byte})" path="/exception"/>
    bool ContainsKey(ReadOnlySpan<byte> key);

    /// <summary>When a key was written and expires; false when it is absent. Its value is not read.</summary>
    /// <inheritdoc cref="Get(ReadOnlySpan{byte})" path="/exception"/>
    bool TryGetInfo(ReadOnlySpan<byte> key, out KeyValueEntryInfo info);

    /// <summary>
    /// Reads several keys as of one moment, in fewer waits for the disk than one after the other: long values are asked for together.
    /// </summary>
    /// <param name="keys">The keys, in any order; one may be there twice.</param>
    /// <returns>The value of each key, in their order; null where it is absent.</returns>
    /// <inheritdoc cref="Get(ReadOnlySpan{byte})" path="/exception"/>
    byte[]?[] MultiGet(ReadOnlySpan<ReadOnlyMemory<byte>> keys);

    /// <summary>Opens a cursor over a range as it is now; later writes are not seen. Dispose it, or walk it by <c>foreach</c>.</summary>
    IKeyValueCursor Scan(KeyRange range, ScanDirection direction = ScanDirection.Forward);
}

/// <summary>A store at one moment, except that entries go on expiring. Until it is disposed, what it sees is kept.</summary>
public interface IKeyValueSnapshot : IKeyValueReader, IDisposable;
