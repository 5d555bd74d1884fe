using Ashlar.Storage;

namespace Ashlar.KeyValue.Log;

/// <summary>Goes from group to group and checks each whole, in a segment of the log or in a copy of a range of one.</summary>
/// <param name="file">Where the groups lie.</param>
/// <param name="lengthBytes">How much of it may be read.</param>
/// <param name="segment">The segment that they are of.</param>
/// <param name="from">Where in the segment the first lies.</param>
/// <param name="shift">What the file's offsets are larger by than the segment's.</param>
/// <param name="previousCrc">HeaderCrc of the group before the first; 0 if that begins the segment.</param>
sealed class LogGroupWalk(IFile file, long lengthBytes, LogSegmentHeader segment, long from, long shift, uint previousCrc)
{
    readonly uint seed = segment.Seed;
    readonly LogWindow window = new(file, lengthBytes);

    /// <summary>Where in the segment the next group lies.</summary>
    public long Offset { get; private set; } = from;

    /// <summary>HeaderCrc of the group before it.</summary>
    public uint PreviousCrc { get; private set; } = previousCrc;

    /// <summary>Reads the next group; false if what lies there is none that continues the one before.</summary>
    /// <param name="header">Its head.</param>
    /// <param name="bytes">The group, head and entries; valid until the next call.</param>
    public bool TryRead(out LogGroupHeader header, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        var head = window.Read(Offset + shift, LogGroupHeader.SizeBytes);
        if (!LogGroupHeader.TryRead(head, segment, seed, Offset, out header, out var crc)) return false;
        if (header.PreviousHeaderCrc != PreviousCrc) return false;
        // A length is believed only as far as the file goes.
        if (header.BodyLength > lengthBytes - (Offset + shift) - LogGroupHeader.SizeBytes) return false;
        var whole = window.Read(Offset + shift, LogGroupHeader.SizeBytes + header.BodyLength);
        if (whole.Length != LogGroupHeader.SizeBytes + header.BodyLength) return false;
        var count = 0;
        for (var rest = whole[LogGroupHeader.SizeBytes..]; !rest.IsEmpty; count++)
        {
            if (!LogEntry.TryReadChecked(rest, out var entry)) return false;
            rest = rest[entry.SizeBytes..];
        }

        if (count != header.Count || LogGroupHeader.ComputeBodyCrc(whole[LogGroupHeader.SizeBytes..], seed) != header.BodyCrc) return false;
        if (header.Kind == LogGroupKind.Entries && count == 0) return false;
        bytes = whole;
        Offset = header.EndOffset;
        PreviousCrc = crc;
        return true;
    }
}
