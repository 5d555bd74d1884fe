using System.Buffers.Binary;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;

namespace Ashlar.KeyValue;

/// <summary>
/// A put, a delete, or a delete of a range in a <see cref="WriteBatch"/>. It holds as long as the batch is not changed.
/// </summary>
public readonly ref struct WriteBatchEntry
{
    readonly LogEntry head;

    internal WriteBatchEntry(ReadOnlySpan<byte> source, WriteBatch? batch = null)
    {
        Batch = batch;
        head = LogEntry.Read(source);
        Encoded = source[..head.SizeBytes];
    }

    /// <summary>The key; the first of a range.</summary>
    public ReadOnlySpan<byte> Key => head.KeyIn(Encoded);

    /// <summary>The value that is put; empty for a delete.</summary>
    public ReadOnlySpan<byte> Value => IsRangeDelete ? default : Stored[ExpiryBytes..];

    /// <summary>Whether the key is deleted.</summary>
    public bool IsDelete => head.Kind == EntryKind.Delete;

    /// <summary>Whether all keys from <see cref="Key"/> up to <see cref="RangeEnd"/> are deleted.</summary>
    public bool IsRangeDelete => head.Kind == EntryKind.RangeDelete;

    /// <summary>The first key behind a range that is deleted; empty: the range has no end.</summary>
    public ReadOnlySpan<byte> RangeEnd => IsRangeDelete ? Stored : default;

    /// <summary>The range that is deleted.</summary>
    /// <exception cref="InvalidOperationException">The entry deletes none.</exception>
    public KeyRange Range => !IsRangeDelete ? throw new InvalidOperationException("The entry does not delete a range.")
        : RangeEnd.IsEmpty ? KeyRange.From(Key)
        : KeyRange.Between(Key, RangeEnd);

    /// <summary>The moment from which on the key reads as absent; null if it does not expire.</summary>
    public DateTimeOffset? ExpiresAt => head.Kind.Expires()
        ? DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(Stored))
        : null;

    /// <summary>
    /// Whether it was added by a keyspace, which only that keyspace's store takes. <see cref="Key"/> and <see cref="RangeEnd"/> begin with
    /// the eight bytes that stand for the keyspace then.
    /// </summary>
    public bool IsOfKeyspace
    {
        get
        {
            if (Batch?.Keyspaces is not { } keyspaces) return false;
            foreach (var keyspace in keyspaces)
            {
                if (Key.StartsWith(keyspace.Prefix)) return true;
            }

            return false;
        }
    }

    /// <summary>Where it is from; null if from no batch.</summary>
    internal WriteBatch? Batch { get; }

    internal EntryKind Kind => head.Kind;

    internal ReadOnlySpan<byte> Encoded { get; }

    internal int ExpiryBytes => head.Kind.Expires() ? Expiry.SizeBytes : 0;

    ReadOnlySpan<byte> Stored => head.ValueIn(Encoded);
}
