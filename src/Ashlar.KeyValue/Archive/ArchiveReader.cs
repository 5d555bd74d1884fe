using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Log;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Archive;

/// <summary>Takes a group of an archive; false if it wants no more.</summary>
delegate bool ArchivedGroup(in LogGroup group);

/// <summary>Reads parts of an archive one after the other, and checks every group and that each continues the one before.</summary>
sealed class ArchiveReader(ArchiveDirectory directory)
{
    ArchivePart? previous;

    /// <summary>Reads a part whose head holds. Groups are given out before the whole part was checked.</summary>
    /// <returns>False if no more was wanted: the rest of the part was not read.</returns>
    /// <exception cref="CorruptDataException">It is damaged.</exception>
    public bool Read(ArchiveLink link, ArchivedGroup? take)
    {
        var path = directory.PathOf(link.File.Name);
        if (!directory.FileSystem.FileExists(path))
            throw new LogArchiveException(
                directory.Path, LogArchiveProblem.Gap, $"part {link.File.Number} is missing, which was there before");
        using var file = directory.FileSystem.Open(path, FileOpenMode.ReadOnly);
        var part = ArchiveDirectory.ReadHead(file, link.File);
        var start = StartOf(part, previous);
        if (previous is not null && IsSameSegment(previous, part) && part.From != previous.To)
            throw new CorruptDataException(
                path, 80, $"the part begins at byte {part.From} of segment {part.SegmentId}, but the one before ends at {previous.To}");
        var shift = ArchivePart.HeadBytes - part.From;
        var reader = new LogGroupReader(file, part.FileBytes, part.Segment, LogReadPolicy.ToFirstFailure, start, shift);
        while (reader.Offset < part.To)
        {
            var offset = reader.Offset + shift;
            if (!reader.TryRead(out var group))
                throw new CorruptDataException(path, offset, $"a group of part {part.Number} does not hold: {reader.Problem}");
            if (group.Header.Kind != LogGroupKind.Entries || reader.Offset > part.To)
                throw new CorruptDataException(path, offset, $"a group of part {part.Number} does not belong into it");
            if (take is not null && !take(group)) return false;
        }

        var last = reader.LastSequence;
        if (last != part.LastSequence || reader.PreviousCrc != part.EndHeadCrc)
            throw new CorruptDataException(path, part.FileBytes, $"the part ends with sequence {last}, its head says {part.LastSequence}");
        var crc = FileCopy.Checksum(file, part.FileBytes, ArchivePart.HeadBytes);
        if (crc != part.ContentCrc)
            throw new CorruptDataException(
                path, ArchivePart.HeadBytes, $"checksum mismatch: expected {part.ContentCrc:x8}, found {crc:x8}");
        previous = part;
        return true;
    }

    /// <summary>Where the groups of a part begin.</summary>
    /// <param name="part">The part.</param>
    /// <param name="before">
    /// The part before it; null if that was not read. Then the part may begin in the middle of a segment, and what its first group
    /// continues is not known.
    /// </param>
    public static LogReadStart StartOf(ArchivePart part, ArchivePart? before)
    {
        uint? previousCrc = part.From == LogSegmentHeader.SizeBytes ? 0 : null;
        if (before is not null && IsSameSegment(before, part)) previousCrc = before.EndHeadCrc;
        return new(part.From, previousCrc, part.AfterSequence);
    }

    static bool IsSameSegment(ArchivePart one, ArchivePart other) => one.SegmentId == other.SegmentId && one.Nonce == other.Nonce;
}
