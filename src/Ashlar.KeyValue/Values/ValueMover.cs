using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Log;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Values;

/// <summary>
/// Copies values out of victim segments into a new one while tables are merged, in key order, with their sequences (invariant I5).
/// Nothing counts before <see cref="Finish"/> and the edit that lists the segments.
/// </summary>
sealed class ValueMover(
    StoreFiles files, ValueSegments values, FileNumbers numbers, KeyValueOptions options, IReadOnlySet<ulong> victims)
{
    const int BufferBytes = 2 << 20;

    readonly List<ValueSegment> written = [];
    readonly byte[] moved = new byte[Expiry.SizeBytes + ValuePlace.EncodedBytes];
    byte[] buffer = [];
    IFile? file;
    LogSegmentHeader header;
    uint seed;
    int buffered;
    long end;

    /// <summary>Segments that were written, for the edit.</summary>
    public IReadOnlyList<ValueSegment> Written => written;

    /// <summary>Bytes of records that were written.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether the entry's value lies in a victim segment.</summary>
    public bool Wants(EntryKind kind, ReadOnlySpan<byte> stored) =>
        victims.Count > 0 && kind.HasPlace() && victims.Contains(ValuePlace.Read(kind, stored).SegmentId);

    /// <summary>
    /// Gives what the entry is to store: a new place if its value lies in a victim segment, otherwise what it stores now. Valid
    /// until the next call.
    /// </summary>
    public ReadOnlySpan<byte> Move(ReadOnlySpan<byte> key, ulong sequence, EntryKind kind, ReadOnlySpan<byte> stored)
    {
        if (!Wants(kind, stored)) return stored;
        var place = ValuePlace.Read(kind, stored);
        var expiry = kind.Expires() ? stored[..Expiry.SizeBytes] : default;
        var head = LogEntry.HeaderBytes + key.Length + expiry.Length;
        var size = MovedRecordHeader.SizeBytes + head + place.LengthBytes;
        if (file is not null && end + buffered > options.LogSegmentBytes) FinishSegment();
        if (file is null) CreateSegment();
        if (buffered + size > buffer.Length) WriteBuffer(size);

        var record = buffer.AsSpan(buffered, size);
        var entry = record[MovedRecordHeader.SizeBytes..];
        values.Read(place, entry[head..]);
        expiry.CopyTo(entry[(head - expiry.Length)..]);
        LogEntry.WriteHead(entry, kind.Expires() ? EntryKind.ExpiringPut : EntryKind.Put, key, place.ValueCrc);
        var offset = end + buffered;
        MovedRecordHeader.Write(record, sequence, offset, seed, entry[..LogEntry.HeaderBytes]);
        var target = new ValuePlace(
            header.SegmentId, offset + MovedRecordHeader.SizeBytes + head, place.LengthBytes, place.ValueCrc);
        expiry.CopyTo(moved);
        target.Write(moved.AsSpan(expiry.Length));
        buffered += size;
        return moved.AsSpan(0, expiry.Length + ValuePlace.EncodedBytes);
    }

    /// <summary>Makes what was moved durable, all but the names: the caller syncs the directory.</summary>
    public void Finish()
    {
        if (file is not null) FinishSegment();
    }

    /// <summary>Deletes what was written: no edit names it.</summary>
    public void Abandon()
    {
        foreach (var finished in written) values.Retire(finished.Id);
        written.Clear();
        if (file is null) return;
        file.Dispose();
        files.TryDelete(file.Path);
        file = null;
    }

    void CreateSegment()
    {
        header = new LogSegmentHeader(files.StoreId, numbers.Next(), options.Entropy.NextUInt64());
        file = files.FileSystem.Open(files.LogPath(header.SegmentId), FileOpenMode.CreateNew);
        if (buffer.Length == 0) buffer = new byte[(int)Math.Min(BufferBytes, Math.Max(4096, options.LogSegmentBytes))];
        header.Write(buffer);
        seed = header.Seed;
        buffered = LogSegmentHeader.SizeBytes;
        end = 0;
    }

    void FinishSegment()
    {
        WriteBuffer(0);
        file!.Sync();
        var reader = files.Readers.Open(file!.Path);
        var segment = values.Add(reader, header.SegmentId, header.Nonce, SegmentOrigin.Moved);
        segment.EndOffset = end;
        written.Add(segment);
        file.Dispose();
        file = null;
    }

    void WriteBuffer(int nextBytes)
    {
        file!.Write(buffer.AsSpan(0, buffered), end);
        end += buffered;
        Bytes += buffered;
        buffered = 0;
        if (buffer.Length < nextBytes) buffer = new byte[nextBytes];
    }
}
