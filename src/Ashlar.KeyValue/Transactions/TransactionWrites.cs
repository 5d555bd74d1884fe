using System.Buffers.Binary;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.MemTables;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Transactions;

/// <summary>
/// What a transaction has written: a batch, as it goes to the log, and an index of it, which is a memtable whose values are offsets of
/// entries in the batch. Sequences count the writes from 1. One thread at a time.
/// </summary>
sealed class TransactionWrites : IDisposable
{
    MemTable? index; // Once there is a write.

    public WriteBatch Batch { get; } = new();

    /// <summary>Writes so far; what a scan that begins now sees.</summary>
    public ulong Count { get; private set; }

    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var offset = Batch.LengthBytes;
        Batch.Put(key, value);
        Add(key, EntryKind.Put, offset);
    }

    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, DateTimeOffset expiresAt)
    {
        var offset = Batch.LengthBytes;
        Batch.Put(key, value, expiresAt);
        Add(key, EntryKind.ExpiringPut, offset);
    }

    public void Delete(ReadOnlySpan<byte> key)
    {
        var offset = Batch.LengthBytes;
        Batch.Delete(key);
        Add(key, EntryKind.Delete, offset);
    }

    /// <summary>Writes to a keyspace.</summary>
    public void Add(
        KeyspaceIdentity keyspace, EntryKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long expiresAt = 0)
    {
        var offset = Batch.LengthBytes;
        Batch.Add(keyspace, kind, key, value, expiresAt);
        Add(keyspace.Store(key, stackalloc byte[256]), kind, offset);
    }

    /// <summary>The newest write of a key, if there is one.</summary>
    public bool TryGet(ReadOnlySpan<byte> key, out EntryKind kind, out ReadOnlySpan<byte> stored)
    {
        if (index is null || !index.TryFind(key, ulong.MaxValue, out _, out kind, out var offset))
        {
            kind = EntryKind.None;
            stored = default;
            return false;
        }

        stored = StoredAt(offset);
        return true;
    }

    /// <summary>Walks the writes; null if there are none.</summary>
    public MemTableIterator? CreateIterator() => index is null ? null : new MemTableIterator(index);

    /// <summary>What the entry stores that an iterator is on.</summary>
    public ReadOnlySpan<byte> StoredAt(ReadOnlySpan<byte> offset)
    {
        var rest = Batch.Entries[BinaryPrimitives.ReadInt32LittleEndian(offset)..];
        return LogEntry.Read(rest).ValueIn(rest);
    }

    public void Dispose()
    {
        index?.Release();
        index = null;
    }

    void Add(ReadOnlySpan<byte> key, EntryKind kind, int offset)
    {
        Span<byte> stored = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(stored, offset);
        index ??= new MemTable();
        index.Add(key, ++Count, kind, stored);
        Invariant.Require(Batch.Count == (int)Count);
    }
}
