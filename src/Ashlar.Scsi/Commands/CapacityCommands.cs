using System.Buffers.Binary;
using System.Numerics;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Scsi;

/// <summary>READ CAPACITY 10 and 16 (SBC-3, 5.15 and 5.16).</summary>
static class CapacityCommands
{
    public static readonly CommandDescription[] Descriptions =
    [
        new("READ CAPACITY(10)", [0x25, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x01, 0x00], Decode10, Answer10)
        { Direction = DataDirection.In, AllowedUnderReservation = true, ReachesTo = PathState.Standby },
        new("READ CAPACITY(16)",
            [0x9E, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00],
            Decode16, Answer16)
        { ServiceAction = 0x10, Direction = DataDirection.In, AllowedUnderReservation = true, ReachesTo = PathState.Standby },
    ];

    static Sense? Decode10(ScsiCommand command)
    {
        // Without PMI the address must be 0 (SBC-3, 5.15.1).
        if ((command.Cdb[8] & 1) == 0 && command.UInt32(2) != 0) return Sense.InvalidFieldInCdb(2);
        command.DataBytes = 8;
        return null;
    }

    static ValueTask<ScsiResult> Answer10(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        var answer = new byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(answer, (uint)Math.Min(uint.MaxValue, command.Unit.BlockCount - 1));
        BinaryPrimitives.WriteInt32BigEndian(answer.AsSpan(4), command.BlockSizeBytes);
        return command.Answer(answer);
    }

    static Sense? Decode16(ScsiCommand command)
    {
        command.DataBytes = command.UInt32(10);
        return null;
    }

    // READ CAPACITY(16) parameter data (SBC-3, 5.16.2)
    //   0  last LBA (8)   8  block size (4)   12  protection: none   13  physical blocks exponent
    //   14 LBPME 80h: blocks can be unmapped; LBPRZ 40h: unmapped blocks read as zeros; lowest aligned LBA 0
    static ValueTask<ScsiResult> Answer16(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        var answer = new byte[32];
        BinaryPrimitives.WriteInt64BigEndian(answer, command.Unit.BlockCount - 1);
        BinaryPrimitives.WriteInt32BigEndian(answer.AsSpan(8), command.BlockSizeBytes);
        answer[13] = (byte)PhysicalBlockExponent(command.Unit);
        answer[14] = 0xC0;
        return command.Answer(answer);
    }

    static int PhysicalBlockExponent(LogicalUnit unit)
    {
        var geometry = unit.Volume.Geometry;
        var ratio = Math.Max(1, geometry.PhysicalBlockSizeBytes / geometry.BlockSizeBytes);
        Invariant.Require(BitOperations.IsPow2(ratio));
        return BitOperations.Log2((uint)ratio);
    }
}
