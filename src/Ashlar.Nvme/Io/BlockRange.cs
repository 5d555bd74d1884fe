using Ashlar.Blocks;

namespace Ashlar.Nvme;

/// <summary>
/// The blocks of a command (NVM Command Set 1.0, 3.2): dwords 10 and 11 have the first, dword 12 has how many, from 0, and how.
/// </summary>
readonly record struct BlockRange(long OffsetBytes, long LengthBytes)
{
    const uint ForceUnitAccessBit = 1u << 30, DeallocateBit = 1u << 25, ProtectionMask = 15u << 26, DirectiveMask = 15u << 20;

    public static bool IsDurable(in SubmissionEntry entry) => (entry.Dword12 & ForceUnitAccessBit) != 0;

    public static bool Deallocates(in SubmissionEntry entry) => (entry.Dword12 & DeallocateBit) != 0;

    /// <summary>Looks at the fields; sums cannot overflow, whatever the host sends.</summary>
    public static NvmeStatus TryRead(in SubmissionEntry entry, in BlockGeometry geometry, out BlockRange range)
    {
        range = default;
        // There is no protection information, and there are no directives.
        if ((entry.Dword12 & (ProtectionMask | DirectiveMask)) != 0) return NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
        return TryRead(entry.Quad10, (entry.Dword12 & 0xFFFF) + 1, geometry, out range);
    }

    public static NvmeStatus TryRead(ulong first, uint count, in BlockGeometry geometry, out BlockRange range)
    {
        range = default;
        var blocks = (ulong)geometry.BlockCount;
        if (first > blocks || count > blocks - first) return NvmeStatus.LbaOutOfRange | NvmeStatus.DoNotRetry;
        range = new((long)first * geometry.BlockSizeBytes, (long)count * geometry.BlockSizeBytes);
        return NvmeStatus.Success;
    }
}
