using System.Buffers.Binary;
using Ashlar.Blocks;

namespace Ashlar.Nvme;

/// <summary>
/// The list of a Dataset Management command (NVM Command Set 1.0, 3.2.3): 0  attributes (4)   4  blocks (4)   8  the first of them (8).
/// </summary>
static class DatasetRanges
{
    public const int SizeBytes = 16;

    /// <summary>Ranges of one command, at most.</summary>
    public const int Max = 256;

    /// <summary>Length of the list: dword 10 has the number of ranges, from 0.</summary>
    public static int ListBytes(in SubmissionEntry entry) => (int)((entry.Dword10 & 0xFF) + 1) * SizeBytes;

    /// <summary>
    /// What the host sends: the list, and perhaps more behind it. Linux always sends as much as the longest list takes, for controllers
    /// that take no less.
    /// </summary>
    public static int TransferBytes(in SubmissionEntry entry)
    {
        var list = ListBytes(entry);
        return entry.Data.LengthBytes <= Max * SizeBytes ? Math.Max(list, (int)entry.Data.LengthBytes) : list;
    }

    /// <summary>Checks the whole list before anything is done, so that a bad one changes nothing.</summary>
    public static NvmeStatus Check(ReadOnlySpan<byte> list, in BlockGeometry geometry)
    {
        for (var at = 0; at < list.Length; at += SizeBytes)
        {
            var status = Read(list[at..], geometry, out _);
            if (status != NvmeStatus.Success) return status;
        }
        return NvmeStatus.Success;
    }

    public static NvmeStatus Read(ReadOnlySpan<byte> source, in BlockGeometry geometry, out BlockRange range) => BlockRange.TryRead(
        BinaryPrimitives.ReadUInt64LittleEndian(source[8..]), BinaryPrimitives.ReadUInt32LittleEndian(source[4..]), geometry, out range);
}
