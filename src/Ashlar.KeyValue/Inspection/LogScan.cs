using System.Globalization;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Inspection;

/// <summary>Reads the groups of a segment as far as anything of them holds, behind damage too. One entry is in memory at a time.</summary>
sealed class LogScan(IFile file, LogSegmentHeader segment, IScanSink sink)
{
    const int ChunkBytes = 256 << 10;

    readonly long length = file.LengthBytes;
    byte[] buffer = new byte[4096];

    public void Run(long end)
    {
        var (seed, previousCrc) = (segment.Seed, 0u);
        long offset = LogSegmentHeader.SizeBytes;
        while (offset < end)
        {
            if (!TryReadHead(seed, offset, out var group, out var crc))
            {
                offset = SkipDamage(seed, offset, end);
                previousCrc = 0;
                continue;
            }

            var time = DateTimeOffset.UnixEpoch.AddTicks(
                Math.Clamp(group.CommitTime, 0, 200_000_000_000_000_000) * TimeSpan.TicksPerMicrosecond);
            sink.Structure(offset, string.Create(
                CultureInfo.InvariantCulture,
                $"{(group.Kind == LogGroupKind.Seal ? "seal" : "group")} from sequence {group.FirstSequence}, {group.Count} entries in "
                    + $"{group.BodyLength} bytes, committed {time:yyyy-MM-dd HH:mm:ss.ffffff}, durable through {group.DurableThrough}"));
            if (previousCrc != 0 && group.PreviousHeaderCrc != previousCrc)
                sink.Damage(offset, LogGroupHeader.SizeBytes, "the group does not continue the one before it");
            previousCrc = crc;
            ScanBody(group, seed);
            offset = group.EndOffset;
        }
    }

    bool TryReadHead(uint seed, long offset, out LogGroupHeader group, out uint crc)
    {
        Span<byte> bytes = stackalloc byte[LogGroupHeader.SizeBytes];
        var read = file.Read(bytes, offset);
        return LogGroupHeader.TryRead(bytes[..read], segment, seed, offset, out group, out crc);
    }

    void ScanBody(in LogGroupHeader group, uint seed)
    {
        var offset = group.Offset + LogGroupHeader.SizeBytes;
        var end = offset + group.BodyLength;
        var bodyCrc = seed;
        var count = 0;
        for (; offset < end; count++)
        {
            var room = Math.Min(end, length) - offset;
            if (room < LogEntry.HeaderBytes)
            {
                sink.Damage(offset, end - offset, "the segment ends within a group");
                return;
            }

            Load(offset, LogEntry.HeaderBytes);
            var entry = LogEntry.Read(buffer);
            var size = (long)LogEntry.HeaderBytes + entry.KeyLength + entry.ValueLength;
            // A length is believed only as far as the group goes and the limits allow.
            if (entry.ValueLength < 0 || size > room || entry.ValueLength > KeyValueOptions.ValueLimitBytes + Expiry.SizeBytes)
            {
                sink.Damage(offset, end - offset, $"entry {count} of the group does not fit it");
                return;
            }

            Load(offset, (int)size);
            var bytes = buffer.AsSpan(0, (int)size);
            bodyCrc = Crc32C.Append(bodyCrc, bytes[..LogEntry.HeaderBytes]);
            if (Crc32C.Compute(bytes[4..(LogEntry.HeaderBytes + entry.KeyLength)]) != entry.KeyCrc)
            {
                sink.Damage(offset, end - offset, $"entry {count} of the group does not hold, nor can the next one be found");
                return;
            }

            var stored = entry.ValueIn(bytes);
            var isSound = Crc32C.Compute(stored) == entry.ValueCrc && stored.Length >= entry.Kind.LeastStoredBytes();
            if (!isSound) sink.Damage(offset, size, "the value does not hold", KeyText.Of(entry.KeyIn(bytes)));
            sink.Entry(
                new ScannedEntry(offset, group.FirstSequence + (ulong)count, entry.Kind, entry.KeyIn(bytes), stored)
                {
                    IsValueSound = isSound,
                });
            offset += size;
        }

        if (group.Kind == LogGroupKind.Entries && (count != group.Count || bodyCrc != group.BodyCrc))
            sink.Damage(group.Offset, group.BodyLength, "the checksum of the group does not hold");
    }

    void Load(long offset, int count)
    {
        if (buffer.Length < count) buffer = GC.AllocateUninitializedArray<byte>(Math.Max(count, 2 * buffer.Length));
        var read = file.Read(buffer.AsSpan(0, count), offset);
        buffer.AsSpan(read, count - read).Clear();
    }

    /// <summary>Finds the next group that holds, or the end.</summary>
    long SkipDamage(uint seed, long offset, long end)
    {
        var chunk = new byte[ChunkBytes + LogGroupHeader.SizeBytes];
        var isZero = true;
        for (var start = offset; start < end; start += ChunkBytes)
        {
            var read = file.Read(chunk, start);
            for (var at = 0; at < ChunkBytes && at < read; at += LogGroupHeader.AlignmentBytes)
            {
                if (start + at > offset
                    && LogGroupHeader.TryRead(
                        chunk.AsSpan(at, Math.Min(LogGroupHeader.SizeBytes, read - at)), segment, seed, start + at, out _, out _))
                {
                    sink.Damage(offset, start + at - offset, "no group holds here, but one that follows does");
                    return start + at;
                }
            }

            isZero &= !chunk.AsSpan(0, (int)Math.Min(read, end - start)).ContainsAnyExcept((byte)0);
        }

        if (isZero) sink.Structure(offset, $"{end - offset} bytes that were reserved and not used");
        else sink.Damage(offset, end - offset, "no group holds from here on: the tail was torn off, or it is damaged");
        return end;
    }
}
