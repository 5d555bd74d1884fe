namespace Ashlar.Scsi;

/// <summary>READ DEFECT DATA 10 and 12 (SBC-3, 5.17 and 5.18): lists of blocks that a disk has replaced. There are none here.</summary>
static class DefectCommands
{
    const int ListsAndFormat = 0x1F;

    public static readonly CommandDescription[] Descriptions =
    [
        new("READ DEFECT DATA(10)", [0x37, 0x00, 0x1F, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00], Decode10, Answer10)
        { Direction = DataDirection.In, CountsAs = MediumAccess.Read },
        new("READ DEFECT DATA(12)",
            [0xB7, 0x1F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00], Decode12, Answer12)
        { Direction = DataDirection.In, CountsAs = MediumAccess.Read },
    ];

    static Sense? Decode10(ScsiCommand command)
    {
        command.DataBytes = command.UInt16(7);
        return null;
    }

    // 1  lists that were asked for 18h, format 07h, as they were asked for   2  bytes of the list, 2
    static ValueTask<ScsiResult> Answer10(ScsiCommand command, ReadOnlyMemory<byte> dataOut) =>
        command.Answer(new byte[] { 0, (byte)(command.Cdb[2] & ListsAndFormat), 0, 0 });

    static Sense? Decode12(ScsiCommand command)
    {
        command.DataBytes = command.UInt32(6);
        return null;
    }

    // 1  as above   2  generation, 2   4  bytes of the list, 4
    static ValueTask<ScsiResult> Answer12(ScsiCommand command, ReadOnlyMemory<byte> dataOut) =>
        command.Answer(new byte[] { 0, (byte)(command.Cdb[1] & ListsAndFormat), 0, 0, 0, 0, 0, 0 });
}
