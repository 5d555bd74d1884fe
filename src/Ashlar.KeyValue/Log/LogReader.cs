using Ashlar.Storage;

namespace Ashlar.KeyValue.Log;

/// <summary>Takes the entries of a log, group by group, as recovery finds them.</summary>
interface ILogReplay
{
    /// <summary>Takes one entry.</summary>
    /// <param name="sequence">The entry's sequence.</param>
    /// <param name="segmentId">The segment that it lies in.</param>
    /// <param name="entryOffset">Where in the segment it starts.</param>
    /// <param name="entry">Its head.</param>
    /// <param name="bytes">The entry, and perhaps what follows it.</param>
    void Apply(ulong sequence, ulong segmentId, long entryOffset, in LogEntry entry, ReadOnlySpan<byte> bytes);
}

/// <summary>How a segment ended.</summary>
/// <param name="End">End of the last sound group.</param>
/// <param name="IsSealed">Whether that group is a seal: the segment is complete and was durable.</param>
/// <param name="LastSequence">Largest sequence that was applied; 0 if none.</param>
/// <param name="SeenSequence">
/// Largest sequence that was seen, torn groups included: none up to here is given out again.
/// </param>
/// <param name="LastCommitTime">Time of the last sound group; 0 if there is none.</param>
/// <param name="DurableThrough">Everything before this offset was durable, by the word of a later group.</param>
/// <param name="Groups">Sound groups, a seal among them.</param>
/// <param name="TornBytes">Bytes behind the end, to the last that is not zero: of a write that was under way.</param>
readonly record struct LogReadResult(
    LogEnd End, bool IsSealed, ulong LastSequence, ulong SeenSequence, long LastCommitTime, long DurableThrough, long Groups = 0,
    long TornBytes = 0);

/// <summary>
/// Reads a segment of the log. Nothing is modified.
/// </summary>
/// <remarks>
/// An unbroken prefix of groups is applied (invariant I3). At the first group that does not hold:
/// <list type="bullet">
/// <item>If the manifest says that the segment goes on, this is damage.</item>
/// <item>If any later group holds and says that the log was durable beyond this place, this is damage.</item>
/// <item>If the file is shorter than it was before its first group, this is damage: bytes are missing, not torn.</item>
/// <item>Otherwise the group was being written when the store stopped: the log ends before it, whatever follows.</item>
/// </list>
/// </remarks>
sealed class LogReader(IFile file, LogSegmentHeader segment)
{
    const int ScanBytes = 256 << 10;

    readonly uint seed = segment.Seed;
    readonly long length = file.LengthBytes;
    readonly LogWindow window = new(file, file.LengthBytes);

    /// <summary>Opens a segment that the manifest lists and checks that it is that one.</summary>
    public static LogSegmentHeader ReadHeader(IFile file, ulong id, ulong nonce, Guid storeId)
    {
        Span<byte> bytes = stackalloc byte[LogSegmentHeader.SizeBytes];
        if (file.Read(bytes, 0) != bytes.Length)
            throw new CorruptDataException(file.Path, 0, "the log segment is shorter than its head");
        var header = LogSegmentHeader.Read(bytes, file.Path);
        if (header.StoreId != storeId)
            throw new CorruptDataException(file.Path, 0, $"the log belongs to store {header.StoreId}, not to {storeId}");
        if (header.SegmentId != id || header.Nonce != nonce)
            throw new CorruptDataException(file.Path, 0, "the log segment is not the one that the manifest lists");
        return header;
    }

    /// <summary>Applies the groups of the segment.</summary>
    /// <param name="declaredEnd">Where the segment ends by the word of the manifest; null for the last segment.</param>
    /// <param name="lastSequence">Sequence of the last entry before this segment.</param>
    /// <param name="replay">Takes the entries; null only checks.</param>
    public LogReadResult Read(LogEnd? declaredEnd, ulong lastSequence, ILogReplay? replay)
    {
        long offset = LogSegmentHeader.SizeBytes;
        var previousCrc = 0u;
        var isSealed = false;
        var applied = 0UL;
        var seen = 0UL;
        var committed = 0L;
        var durableThrough = (long)LogSegmentHeader.SizeBytes;
        var groups = 0L;
        var torn = 0L;
        while (true)
        {
            if (declaredEnd is { } declared && offset >= declared.EndOffset)
            {
                if (offset != declared.EndOffset || previousCrc != declared.HeaderCrc)
                    throw new CorruptDataException(
                        file.Path, offset,
                        $"the manifest ends this segment at byte {declared.EndOffset}, group {declared.HeaderCrc:x8}; found "
                            + $"{previousCrc:x8}");
                break;
            }

            if (isSealed)
            {
                if (declaredEnd is not null)
                    throw new CorruptDataException(
                        file.Path, offset, "the segment is sealed before the end that the manifest says");
                break;
            }

            var headHolds = TryReadHeader(offset, out var header, out var headerCrc);
            if (headHolds && header.PreviousHeaderCrc != previousCrc)
                throw new CorruptDataException(file.Path, offset, "a group does not continue the one before it");
            if (headHolds && header.Count > 0) seen = Math.Max(seen, header.FirstSequence + (ulong)header.Count - 1);
            if (!headHolds || !TryReadBody(header, out var body))
            {
                if (declaredEnd is not null)
                    throw new CorruptDataException(
                        file.Path, offset, "a group does not hold, in a segment that the manifest says to be complete");
                RequireWholeFile(offset);
                torn = RequireTornTail(offset, ref seen);
                break;
            }

            if (header.Kind == LogGroupKind.Entries)
            {
                if (header.FirstSequence <= Math.Max(lastSequence, applied))
                    throw new CorruptDataException(
                        file.Path, offset, $"sequence {header.FirstSequence} follows sequence {Math.Max(lastSequence, applied)}");
                Apply(body, header, replay);
                applied = header.FirstSequence + (ulong)header.Count - 1;
            }

            if (header.CommitTime < committed)
                throw new CorruptDataException(file.Path, offset, $"commit time {header.CommitTime} follows {committed}");
            committed = header.CommitTime;
            isSealed = header.Kind == LogGroupKind.Seal;
            durableThrough = Math.Max(durableThrough, header.DurableThrough);
            previousCrc = headerCrc;
            offset = header.EndOffset;
            groups++;
        }

        return new LogReadResult(
            new LogEnd(segment.SegmentId, offset, previousCrc), isSealed, applied, Math.Max(seen, applied), committed, durableThrough,
            groups, torn);
    }

    void Apply(ReadOnlySpan<byte> body, in LogGroupHeader header, ILogReplay? replay)
    {
        if (replay is null) return;
        var sequence = header.FirstSequence;
        var offset = header.Offset + LogGroupHeader.SizeBytes;
        while (!body.IsEmpty)
        {
            var entry = LogEntry.Read(body);
            replay.Apply(sequence++, segment.SegmentId, offset, entry, body);
            body = body[entry.SizeBytes..];
            offset += entry.SizeBytes;
        }
    }

    bool TryReadHeader(long offset, out LogGroupHeader header, out uint headerCrc) => LogGroupHeader.TryRead(
        window.Read(offset, LogGroupHeader.SizeBytes), segment, seed, offset, out header, out headerCrc);

    bool TryReadBody(in LogGroupHeader header, out ReadOnlySpan<byte> body)
    {
        body = default;
        // A length is believed only as far as the file goes.
        var start = header.Offset + LogGroupHeader.SizeBytes;
        if (header.BodyLength > length - start || header.BodyLength > WriteBatch.MaxBytes + LogGroupLimit.Bytes)
            return false;
        var bytes = window.Read(start, header.BodyLength);
        if (bytes.Length != header.BodyLength) return false;
        var rest = bytes;
        var count = 0;
        for (; !rest.IsEmpty; count++)
        {
            if (!LogEntry.TryReadChecked(rest, out var entry)) return false;
            rest = rest[entry.SizeBytes..];
        }

        body = bytes;
        return count == header.Count && LogGroupHeader.ComputeBodyCrc(bytes, seed) == header.BodyCrc;
    }

    // A crash tears what was being written; it does not take away length that a sync has made durable, and the first reservation is
    // synced before the manifest names the segment. What is reserved later is not relied on: its length is durable only with the next
    // flush. The file is shorter for two reasons only, and then it shows where:
    // - It was being sealed. Everything before the seal is durable by then, and the file is cut off behind the seal, which may be lost.
    // - It is a copy for a backup, which ends with its last group.
    void RequireWholeFile(long offset)
    {
        if (length >= segment.ReservedBytes || length == offset || length == offset + LogGroupHeader.SizeBytes) return;
        throw new CorruptDataException(
            file.Path, length,
            $"the log segment is cut off: it had {segment.ReservedBytes} bytes before its first group, and the groups that hold end at "
                + $"byte {offset}");
    }

    /// <summary>Looks behind a group that does not hold for one that proves it to have been durable.</summary>
    /// <param name="offset">Where that group begins.</param>
    /// <param name="seen">Raised to the last sequence of every group that is found: several are under way at once.</param>
    /// <returns>How far there is anything but zeros.</returns>
    long RequireTornTail(long offset, ref ulong seen)
    {
        var torn = 0L;
        var chunk = new byte[Math.Min(ScanBytes, Math.Max(0, length - offset)) + LogGroupHeader.SizeBytes];
        // Groups lie at multiples of their alignment.
        for (var start = offset + LogGroupHeader.AlignmentBytes; start < length; start += ScanBytes)
        {
            var read = file.Read(chunk, start);
            if (chunk.AsSpan(0, read).LastIndexOfAnyExcept((byte)0) is >= 0 and var last) torn = start + last + 1 - offset;
            for (var at = 0; at < ScanBytes && at + LogGroupHeader.SizeBytes <= read; at += LogGroupHeader.AlignmentBytes)
            {
                var candidate = chunk.AsSpan(at, LogGroupHeader.SizeBytes);
                if (!LogGroupHeader.TryRead(candidate, segment, seed, start + at, out var later, out _)) continue;
                if (later.Count > 0) seen = Math.Max(seen, later.FirstSequence + (ulong)later.Count - 1);
                if (later.DurableThrough > offset)
                {
                    throw new CorruptDataException(
                        file.Path, offset,
                        $"a group does not hold, but that at byte {later.Offset} says that byte {later.DurableThrough - 1} was durable");
                }
            }
        }

        return torn;
    }
}
