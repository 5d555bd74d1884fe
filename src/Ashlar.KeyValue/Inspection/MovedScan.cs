using System.Buffers.Binary;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Values;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Inspection;

/// <summary>Reads a segment of moved values as far as anything of it holds, behind damage too. One record is in memory at a time.</summary>
sealed class MovedScan(IFile file, LogSegmentHeader segment, IScanSink sink)
{
    const int ChunkBytes = 256 << 10;
    const int HeadBytes = MovedRecordHeader.SizeBytes + LogEntry.HeaderBytes;

    readonly uint seed = segment.Seed;
    byte[] buffer = new byte[4096];

    /// <summary>Whether a record starts here; its head vouches for the length of what follows.</summary>
    public static bool IsRecord(ReadOnlySpan<byte> source, long offset, uint seed, out MovedRecordHeader header)
    {
        header = default;
        if (source.Length < HeadBytes) return false;
        // What costs little comes first: a search asks at every byte.
        var head = source[MovedRecordHeader.SizeBytes..];
        if ((EntryKind)head[8] is not (EntryKind.Put or EntryKind.ExpiringPut) || head[9] != 0) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[12..]) != 0) return false;
        var entry = LogEntry.Read(head);
        return entry.KeyLength > 0 && entry.ValueLength is >= 0 and <= KeyValueOptions.ValueLimitBytes + Expiry.SizeBytes
            && MovedRecordHeader.TryRead(source, offset, seed, out header);
    }

    public void Run(long end)
    {
        for (long offset = LogSegmentHeader.SizeBytes; offset < end;)
        {
            Load(offset, HeadBytes);
            if (!IsRecord(buffer.AsSpan(0, HeadBytes), offset, seed, out var header))
            {
                offset = SkipDamage(offset, end);
                continue;
            }

            var entry = LogEntry.Read(buffer.AsSpan(MovedRecordHeader.SizeBytes));
            var size = MovedRecordHeader.SizeBytes + entry.SizeBytes;
            if (size > end - offset)
            {
                sink.Damage(offset, end - offset, "the segment ends within a record");
                return;
            }

            Load(offset, size);
            Take(header, entry, offset, buffer.AsSpan(MovedRecordHeader.SizeBytes, entry.SizeBytes));
            offset += size;
        }
    }

    void Take(in MovedRecordHeader header, in LogEntry entry, long offset, ReadOnlySpan<byte> bytes)
    {
        if (Crc32C.Compute(bytes[4..(LogEntry.HeaderBytes + entry.KeyLength)]) != entry.KeyCrc)
        {
            sink.Damage(offset, MovedRecordHeader.SizeBytes + entry.SizeBytes, "the key of the record does not hold");
            return;
        }

        var stored = entry.ValueIn(bytes);
        var isSound = Crc32C.Compute(stored) == entry.ValueCrc && stored.Length >= entry.Kind.MinStoredBytes();
        if (!isSound) sink.Damage(offset, entry.SizeBytes, "the value does not hold", KeyText.Of(entry.KeyIn(bytes)));
        sink.Entry(new ScannedEntry(offset, header.Sequence, entry.Kind, entry.KeyIn(bytes), stored) { IsValueSound = isSound });
    }

    void Load(long offset, int count)
    {
        if (buffer.Length < count) buffer = GC.AllocateUninitializedArray<byte>(Math.Max(count, 2 * buffer.Length));
        var read = file.Read(buffer.AsSpan(0, count), offset);
        buffer.AsSpan(read, count - read).Clear();
    }

    /// <summary>Finds the next record that holds, or the end. Records lie at any byte.</summary>
    long SkipDamage(long offset, long end)
    {
        var chunk = new byte[ChunkBytes + HeadBytes];
        for (var start = offset + 1; start < end; start += ChunkBytes)
        {
            var bytes = chunk.AsSpan(0, file.Read(chunk, start));
            for (var at = 0; at < Math.Min(ChunkBytes, bytes.Length); at++)
            {
                if (!IsRecord(bytes[at..], start + at, seed, out _)) continue;
                sink.Damage(offset, start + at - offset, "no record holds here, but one that follows does");
                return start + at;
            }
        }

        sink.Damage(offset, end - offset, "no record holds from here on");
        return end;
    }
}
