using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Walks a range in key order, over the store as it was when the scan began: what expires later is still seen. Not safe for
/// concurrent callers. Until it is disposed it keeps memory and files in place that it reads from.
/// </summary>
public interface IKeyValueCursor : IDisposable
{
    /// <summary>The current key; valid until the next move.</summary>
    /// <exception cref="InvalidOperationException">The cursor is not on an entry.</exception>
    ReadOnlySpan<byte> Key { get; }

    /// <summary>
    /// The current value; valid until the next move and not after the cursor is disposed. A long one is read when it is first asked for:
    /// who needs keys only does not pay for values.
    /// </summary>
    /// <exception cref="InvalidOperationException">The cursor is not on an entry.</exception>
    /// <exception cref="CorruptDataException">What holds the value is damaged.</exception>
    ReadOnlySpan<byte> Value { get; }

    /// <summary>
    /// Moves to the first, then to the next entry; false at the end of the range. If it throws because of the disk, it may be called
    /// again, and goes on where it failed.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The cursor or its store is disposed.</exception>
    /// <exception cref="CorruptDataException">What lies next is damaged.</exception>
    bool MoveNext();

    /// <summary>
    /// Moves to the entry of a key or, where the cursor sees none, to the next one in the direction of the scan, as long as it is in the
    /// range; false if there is none. From there <see cref="MoveNext"/> goes on. It may go back, too, and sees the same moment. If it
    /// throws because of the disk, <see cref="MoveNext"/> makes good for it.
    /// </summary>
    /// <param name="key">Any key, in the range or not. Empty: from the beginning; backward, nothing lies there.</param>
    /// <inheritdoc cref="MoveNext" path="/exception"/>
    bool Seek(ReadOnlySpan<byte> key);
}
