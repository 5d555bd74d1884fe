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
    readonly long length = file.LengthBytes;

    /// <summary>Applies the groups of the segment.</summary>
    /// <param name="declaredEnd">Where the segment ends by the word of the manifest; null for the last segment.</param>
    /// <param name="lastSequence">Sequence of the last entry before this segment.</param>
    /// <param name="replay">Takes the entries; null only checks.</param>
    public LogReadResult Read(LogEnd? declaredEnd, ulong lastSequence, ILogReplay? replay)
    {
        var reader = new LogGroupReader(file, length, segment, LogReadPolicy.ToFirstFailure, LogReadStart.Beginning(lastSequence));
        var isSealed = false;
        var applied = 0UL;
        var seen = 0UL;
        var durableThrough = (long)LogSegmentHeader.SizeBytes;
        var groups = 0L;
        var torn = 0L;
        while (!IsAtEnd(reader, declaredEnd, isSealed))
        {
            var isSound = reader.TryRead(out var group);
            RequireToFollow(reader);
            seen = Math.Max(seen, group.Header.LastSequence);
            if (!isSound)
            {
                torn = RequireTornTail(reader, declaredEnd, ref seen);
                break;
            }

            isSealed = group.Header.Kind == LogGroupKind.Seal;
            if (!isSealed) applied = group.Header.LastSequence;
            if (replay is not null) Apply(group, replay);
            durableThrough = Math.Max(durableThrough, group.Header.DurableThrough);
            groups++;
        }

        return new LogReadResult(
            new LogEnd(segment.SegmentId, reader.Offset, reader.PreviousCrc ?? 0), isSealed, applied, Math.Max(seen, applied),
            reader.LastCommitTime, durableThrough, groups, torn);
    }

    bool IsAtEnd(LogGroupReader reader, LogEnd? declaredEnd, bool isSealed)
    {
        if (declaredEnd is not { } declared) return isSealed;
        if (reader.Offset < declared.EndOffset)
            return isSealed ? throw Wrong(reader, "the segment is sealed before the end that the manifest says") : false;
        if (reader.Offset != declared.EndOffset || reader.PreviousCrc != declared.HeaderCrc)
            throw Wrong(
                reader,
                $"the manifest ends this segment at byte {declared.EndOffset}, group {declared.HeaderCrc:x8}; found "
                    + $"{reader.PreviousCrc:x8}");
        return true;
    }

    // A head that holds was written as a whole: what it says does not come from tearing.
    void RequireToFollow(LogGroupReader reader)
    {
        if (reader.Fault is LogGroupFault.Chain or LogGroupFault.Sequence or LogGroupFault.CommitTime) throw Wrong(reader, reader.Problem);
    }

    void Apply(in LogGroup group, ILogReplay replay)
    {
        for (var entries = group.Entries; entries.MoveNext();)
            replay.Apply(entries.Sequence, segment.SegmentId, entries.Offset, entries.Current, entries.Bytes);
    }

    /// <summary>Looks behind a group that does not hold for one that proves it to have been durable.</summary>
    /// <param name="reader">Stands at that group.</param>
    /// <param name="declaredEnd">Where the segment ends by the word of the manifest.</param>
    /// <param name="seen">Raised to the last sequence of every group that is found: several are under way at once.</param>
    /// <returns>How far there is anything but zeros.</returns>
    long RequireTornTail(LogGroupReader reader, LogEnd? declaredEnd, ref ulong seen)
    {
        if (declaredEnd is not null)
            throw Wrong(reader, $"a group does not hold, in a segment that the manifest says to be complete: {reader.Problem}");
        RequireWholeFile(reader.Offset);
        var search = new LogGroupSearch(file, segment, reader.Offset, length);
        while (search.TryFind(out var later))
        {
            seen = Math.Max(seen, later.LastSequence);
            if (later.DurableThrough > reader.Offset)
                throw Wrong(
                    reader,
                    $"a group does not hold, but that at byte {later.Offset} says that byte {later.DurableThrough - 1} was durable: "
                        + reader.Problem);
        }

        return search.ContentBytes;
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

    CorruptDataException Wrong(LogGroupReader reader, string problem) => new(file.Path, reader.Offset, problem);
}
