using System.Buffers.Binary;

namespace Ashlar.Scsi;

/// <summary>
/// Parameter list of EXTENDED COPY with a list identifier of one byte (SPC-4, 6.4.3), read and checked as a whole before anything is
/// copied. Big-endian.
/// </summary>
/// <remarks>
/// <code>
/// Header          0  list identifier; 0 where it is not used   1  usage of it 18h, priority 07h   2  bytes of targets (2)
///                 8  bytes of segments (4)   12  bytes of data inline (4)
/// Target, E4h     0  E4h   1  NUL 20h: 0, device type 1Fh   4  code set 0Fh   5  association 30h, type 0Fh   7  length
///                 8  designator (20)   28  PAD 04h   29  bytes of a block (3)
/// Segment, 02h    0  02h   1  DC 02h: counted in blocks of the destination; CAT 01h   2  length, 24 (2)   4  source (2)
///                 6  destination (2)   10  blocks (2)   12  LBA of the source (8)   20  LBA of the destination (8)
/// </code>
/// Source and destination are indexes of targets; FFFFh is the unit that got the command.
/// </remarks>
static class CopyList
{
    const int UsageShift = 3, UsageMask = 3, UsageReserved = 1, UsageDiscard = 2, UsageNone = 3;
    const int MaxDesignatorBytes = 20, ThisUnit = 0xFFFF;
    const int CountsDestinationBlocks = 0x02, NullDevice = 0x20;

    /// <summary>Under which number the initiator asks for the result; null where it does not.</summary>
    public static byte? IdentifierOf(ReadOnlySpan<byte> list) => Usage(list) is UsageNone or UsageDiscard ? null : list[0];

    /// <summary>Looks at the form of a list: what it says that cannot be meant, and what is not supported.</summary>
    public static Sense? Check(ReadOnlySpan<byte> list)
    {
        if (list.Length < CopyLimits.HeaderBytes) return Sense.ParameterListLengthError;
        var (targets, segments) = (TargetBytes(list), SegmentBytes(list));
        if (targets + segments > CopyLimits.MaxDescriptorBytes) return Sense.ParameterListLengthError;
        if (BinaryPrimitives.ReadUInt32BigEndian(list[12..]) != 0) return Illegal(AdditionalSense.InlineDataLengthExceeded, 12);
        if (targets + segments > list.Length - CopyLimits.HeaderBytes) return Sense.ParameterListLengthError;
        if (Usage(list) == UsageReserved) return Sense.InvalidFieldInParameterList(1);
        if (Usage(list) == UsageNone && list[0] != 0) return Sense.InvalidFieldInParameterList(0);
        if (targets % CopyLimits.TargetBytes != 0) return Sense.InvalidFieldInParameterList(2);
        if (targets / CopyLimits.TargetBytes > CopyLimits.MaxTargets) return Illegal(AdditionalSense.TooManyTargetDescriptors, 2);
        for (var at = CopyLimits.HeaderBytes; at < CopyLimits.HeaderBytes + targets; at += CopyLimits.TargetBytes)
        {
            if (list[at] != CopyLimits.IdentificationDescriptor) return Illegal(AdditionalSense.UnsupportedTargetDescriptorType, at);
            if ((list[at + 1] & NullDevice) != 0) return Sense.InvalidFieldInParameterList(at + 1);
            if (list[at + 7] > MaxDesignatorBytes) return Sense.InvalidFieldInParameterList(at + 7);
        }

        return CheckSegments(list, CopyLimits.HeaderBytes + (int)targets, CopyLimits.HeaderBytes + (int)(targets + segments));
    }

    /// <summary>Finds the units that the segments name, and that each segment is possible.</summary>
    /// <param name="list">A list of good form.</param>
    /// <param name="port">What the initiator reaches: nothing else can be named.</param>
    /// <param name="asked">The unit that got the command.</param>
    /// <param name="found">Gets the segments.</param>
    public static Sense? Resolve(ReadOnlySpan<byte> list, ScsiNexus port, UnitNexus asked, List<CopySegment> found)
    {
        var targetCount = (int)TargetBytes(list) / CopyLimits.TargetBytes;
        var first = CopyLimits.HeaderBytes + (int)TargetBytes(list);
        for (var at = first; at < first + SegmentBytes(list); at += CopyLimits.SegmentBytes)
        {
            var number = found.Count;
            var segment = list.Slice(at, CopyLimits.SegmentBytes);
            if (FindUnit(list, segment, 4, number, targetCount, port, asked, out var source) is { } noSource) return noSource;
            if (FindUnit(list, segment, 6, number, targetCount, port, asked, out var target) is { } noTarget) return noTarget;
            if (Measure(segment, number, source!, target!, out var run) is { } impossible) return impossible;
            found.Add(run);
        }

        return null;
    }

    static Sense? CheckSegments(ReadOnlySpan<byte> list, int at, int end)
    {
        for (var count = 0; at < end; count++, at += CopyLimits.SegmentBytes)
        {
            if (count == CopyLimits.MaxSegments) return Illegal(AdditionalSense.TooManySegmentDescriptors, 8);
            if (list[at] != CopyLimits.BlockToBlock) return Illegal(AdditionalSense.UnsupportedSegmentDescriptorType, at);
            if (end - at < CopyLimits.SegmentBytes) return Sense.InvalidFieldInParameterList(8);
            if (BinaryPrimitives.ReadUInt16BigEndian(list[(at + 2)..]) != CopyLimits.SegmentBytes - 4)
                return Sense.InvalidFieldInParameterList(at + 2);
        }

        return null;
    }

    static Sense? FindUnit(
        ReadOnlySpan<byte> list, ReadOnlySpan<byte> segment, int field, int number, int targetCount, ScsiNexus port, UnitNexus asked,
        out UnitNexus? unit)
    {
        unit = asked;
        var index = BinaryPrimitives.ReadUInt16BigEndian(segment[field..]);
        if (index == ThisUnit) return null;
        unit = null;
        if (index >= targetCount) return Sense.CopyAborted(AdditionalSense.UnreachableCopyTarget, number, field);
        var at = CopyLimits.HeaderBytes + (index * CopyLimits.TargetBytes);
        var target = list.Slice(at, CopyLimits.TargetBytes);
        if ((target[1] & 0x1F) != 0) return Sense.CopyAborted(AdditionalSense.IncorrectCopyTargetDeviceType, number, field);
        foreach (var each in port.Reachable)
            if (Designators.Names(each.Unit, target[4] & 0x0F, target[5] & 0x3F, target.Slice(8, target[7]))) unit = each;
        if (unit is null) return Sense.CopyAborted(AdditionalSense.CopyTargetDeviceNotReachable, number, field);
        // A wrong idea of the block size would copy other blocks than were meant.
        var blockBytes = BinaryPrimitives.ReadUInt32BigEndian(target[28..]) & 0xFF_FFFF;
        return blockBytes != 0 && blockBytes != unit.Unit.BlockSizeBytes ? Sense.InvalidFieldInParameterList(at + 29) : null;
    }

    static Sense? Measure(ReadOnlySpan<byte> segment, int number, UnitNexus source, UnitNexus destination, out CopySegment run)
    {
        run = default;
        var counted = (segment[1] & CountsDestinationBlocks) != 0 ? destination.Unit : source.Unit;
        var length = (long)BinaryPrimitives.ReadUInt16BigEndian(segment[10..]) << counted.BlockShift;
        if (length > CopyLimits.MaxSegmentBytes) return Sense.CopyAborted(AdditionalSense.None, number, 10);
        if (length % source.Unit.BlockSizeBytes != 0 || length % destination.Unit.BlockSizeBytes != 0)
            return Sense.CopyAborted(AdditionalSense.InexactSegment, number, 10);
        if (!TryPlace(source.Unit, segment[12..], length, out var from)) return Sense.CopyAborted(AdditionalSense.None, number, 12);
        if (!TryPlace(destination.Unit, segment[20..], length, out var to)) return Sense.CopyAborted(AdditionalSense.None, number, 20);
        run = new(source, from, destination, to, length);
        return null;
    }

    static bool TryPlace(LogicalUnit unit, ReadOnlySpan<byte> address, long lengthBytes, out long offsetBytes)
    {
        var lba = BinaryPrimitives.ReadUInt64BigEndian(address);
        var isInside = BlockFields.IsInRange(unit, lba, (uint)(lengthBytes >> unit.BlockShift));
        offsetBytes = isInside ? (long)lba << unit.BlockShift : 0;
        return isInside;
    }

    static int Usage(ReadOnlySpan<byte> list) => list[1] >> UsageShift & UsageMask;

    static long TargetBytes(ReadOnlySpan<byte> list) => BinaryPrimitives.ReadUInt16BigEndian(list[2..]);

    static long SegmentBytes(ReadOnlySpan<byte> list) => BinaryPrimitives.ReadUInt32BigEndian(list[8..]);

    static Sense Illegal(AdditionalSense additional, int byteOffset) =>
        Sense.InvalidFieldInParameterList(byteOffset) with { Additional = additional };
}
