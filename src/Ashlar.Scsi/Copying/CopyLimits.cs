namespace Ashlar.Scsi;

/// <summary>What one EXTENDED COPY may ask for; initiators ask first, and keep to it.</summary>
static class CopyLimits
{
    public const byte IdentificationDescriptor = 0xE4, BlockToBlock = 0x02;

    public const int HeaderBytes = 16, TargetBytes = 32, SegmentBytes = 28;

    public const int MaxTargets = 8, MaxSegments = 8;

    /// <summary>Most bytes of descriptors, of both kinds together.</summary>
    public const int MaxDescriptorBytes = (MaxTargets * TargetBytes) + (MaxSegments * SegmentBytes);

    /// <summary>Most bytes that a segment copies: on disks that are not slow all segments of a command are done in seconds.</summary>
    public const int MaxSegmentBytes = 32 << 20;

    /// <summary>Copies that an initiator has at a time through one port: what it is told, and what leaves room for others.</summary>
    public const int MaxCopies = 4;

    /// <summary>Copies that a unit does at a time.</summary>
    public const int MaxCopiesOfUnit = 16;

    /// <summary>Copies that all units of a node do at a time: they take 32 MiB beside the memory of requests.</summary>
    public const int MaxCopiesOfNode = 64;

    /// <summary>
    /// What a copy may take, whatever slows it down: initiators give a command 30 s or more, and copy the rest themselves.
    /// </summary>
    public static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(20);

    /// <summary>Bytes that a copy has in memory.</summary>
    public const int PieceBytes = 512 << 10;

    /// <summary>Segments are counted in blocks, 2 to the power of this at least.</summary>
    public const byte GranularityShift = 9;
}
