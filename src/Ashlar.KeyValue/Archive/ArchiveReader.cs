using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Log;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Archive;

/// <summary>Takes a group of an archive; false if it wants no more.</summary>
delegate bool ArchivedGroup(in LogGroupHeader group, ReadOnlySpan<byte> bytes);

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
        var continues = previous is not null && previous.SegmentId == part.SegmentId && previous.Nonce == part.Nonce;
        if (continues && part.From != previous!.To)
            throw new CorruptDataException(
                path, 80, $"the part begins at byte {part.From} of segment {part.SegmentId}, but the one before ends at {previous.To}");
        var isBeginning = part.From == LogSegmentHeader.SizeBytes;
        var shift = ArchivePart.HeadBytes - part.From;
        var walk = new LogGroupWalk(
            file,
            part.FileBytes,
            part.Segment,
            part.From,
            shift,
            isBeginning ? 0 : continues ? previous!.EndHeadCrc : PreviousCrcIn(file, part));
        var last = part.AfterSequence;
        while (walk.Offset < part.To)
        {
            var offset = walk.Offset + shift;
            if (!walk.TryRead(out var group, out var bytes) || group.Kind != LogGroupKind.Entries || walk.Offset > part.To)
                throw new CorruptDataException(path, offset, $"a group of part {part.Number} does not hold");
            if (group.FirstSequence <= last)
                throw new CorruptDataException(path, offset, $"sequence {group.FirstSequence} follows sequence {last}");
            last = group.FirstSequence + (ulong)group.Count - 1;
            if (take is not null && !take(group, bytes)) return false;
        }

        if (last != part.LastSequence || walk.PreviousCrc != part.EndHeadCrc)
            throw new CorruptDataException(path, part.FileBytes, $"the part ends with sequence {last}, its head says {part.LastSequence}");
        var crc = FileCopy.Checksum(file, part.FileBytes, ArchivePart.HeadBytes);
        if (crc != part.ContentCrc)
            throw new CorruptDataException(
                path, ArchivePart.HeadBytes, $"checksum mismatch: expected {part.ContentCrc:x8}, found {crc:x8}");
        previous = part;
        return true;
    }

    // The first part that is read may begin in the middle of a segment: what its first group continues is not known.
    public static uint PreviousCrcIn(IFile file, ArchivePart part)
    {
        Span<byte> head = stackalloc byte[LogGroupHeader.SizeBytes];
        var read = file.Read(head, ArchivePart.HeadBytes);
        return LogGroupHeader.TryRead(head[..read], part.Segment, part.Segment.Seed, part.From, out var group, out _)
            ? group.PreviousHeaderCrc
            : 0;
    }
}
