using System.Buffers.Binary;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;

namespace Ashlar.KeyValue;

/// <summary>A put or delete in a <see cref="WriteBatch"/>. It holds as long as the batch is not changed.</summary>
public readonly ref struct WriteBatchEntry
{
    readonly LogEntry head;

    internal WriteBatchEntry(ReadOnlySpan<byte> source)
    {
        head = LogEntry.Read(source);
        Encoded = source[..head.SizeBytes];
    }

    /// <summary>The key.</summary>
    public ReadOnlySpan<byte> Key => head.KeyIn(Encoded);

    /// <summary>The value that is put; empty for a delete.</summary>
    public ReadOnlySpan<byte> Value => Stored[ExpiryBytes..];

    /// <summary>Whether the key is deleted.</summary>
    public bool IsDelete => head.Kind == EntryKind.Delete;

    /// <summary>The moment from which on the key reads as absent; null if it does not expire.</summary>
    public DateTimeOffset? ExpiresAt => head.Kind.Expires()
        ? DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(Stored))
        : null;

    internal ReadOnlySpan<byte> Encoded { get; }

    internal int ExpiryBytes => head.Kind.Expires() ? Expiry.SizeBytes : 0;

    ReadOnlySpan<byte> Stored => head.ValueIn(Encoded);
}
