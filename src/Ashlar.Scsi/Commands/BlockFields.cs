namespace Ashlar.Scsi;

/// <summary>Block address, count and flags where CDBs of each length have them (SBC-3, 4.5; SPC-4, 4.2.3).</summary>
static class BlockFields
{
    // Length   LBA               count          flags in byte 1 of 10, 12, 16
    //   6      1 (21 bits)..3    4, 0 = 256      7..5  protection information
    //   10     2..5              7..8            4     DPO
    //   12     2..5              6..9            3     FUA
    //   16     2..9              10..13
    const int ProtectionBits = 0xE0;
    public const int ForceUnitAccessBit = 0x08;

    /// <summary>Reads LBA and count and checks both.</summary>
    public static Sense? DecodeRange(ScsiCommand command)
    {
        ulong lba;
        uint count;
        switch (command.Cdb[0] >> 5)
        {
            case 0:
                lba = command.UInt32(0) & 0x1F_FFFF;
                count = command.Cdb[4] == 0 ? 256u : command.Cdb[4];
                break;
            case 1 or 2:
                lba = command.UInt32(2);
                count = command.UInt16(7);
                break;
            case 5:
                lba = command.UInt32(2);
                count = command.UInt32(6);
                break;
            default:
                lba = command.UInt64(2);
                count = command.UInt32(10);
                break;
        }
        return CheckRange(command, lba, count);
    }

    /// <summary>Checks a range, without a sum or shift that could overflow, and keeps it.</summary>
    public static Sense? CheckRange(ScsiCommand command, ulong lba, uint count)
    {
        if (!IsInRange(command.Unit, lba, count)) return Sense.LbaOutOfRange;
        command.Lba = (long)lba;
        command.BlockCount = count;
        return null;
    }

    public static bool IsInRange(LogicalUnit unit, ulong lba, uint count)
    {
        var blocks = (ulong)unit.BlockCount;
        // The block after the last is no address, not even of nothing (SBC-3, 4.5).
        return lba < blocks && count <= blocks - lba;
    }

    /// <summary>Refuses what needs protection information, which the unit has not (SBC-3, table 63).</summary>
    public static Sense? CheckProtection(ScsiCommand command) =>
        (command.Cdb[1] & ProtectionBits) != 0 ? Sense.InvalidFieldInCdb(1) : null;

    /// <summary>Decodes a command that moves all its blocks, checks its length and takes FUA.</summary>
    public static Sense? DecodeTransfer(ScsiCommand command)
    {
        if (command.Cdb[0] >> 5 != 0)
        {
            if (CheckProtection(command) is { } problem) return problem;
            command.ForceUnitAccess = (command.Cdb[1] & ForceUnitAccessBit) != 0;
        }
        if (DecodeRange(command) is { } outside) return outside;
        return CheckLength(command) ?? SetDataBytes(command, command.BlockCount);
    }

    /// <summary>Refuses more than the block limits page allows (SBC-3, 6.5.3).</summary>
    public static Sense? CheckLength(ScsiCommand command) =>
        command.BlockCount > LogicalUnit.MaxTransferBytes >> command.Unit.BlockShift
            ? Sense.InvalidFieldInCdb(LengthOffset(command))
            : null;

    public static Sense? SetDataBytes(ScsiCommand command, long blockCount)
    {
        command.DataBytes = blockCount << command.Unit.BlockShift;
        return null;
    }

    static int LengthOffset(ScsiCommand command) => (command.Cdb[0] >> 5) switch
    {
        0 => 4,
        1 or 2 => 7,
        5 => 6,
        _ => 10,
    };
}
