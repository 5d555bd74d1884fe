using System.Buffers.Binary;
using Ashlar.Blocks;

namespace Ashlar.Scsi;

/// <summary>REPORT SUPPORTED OPERATION CODES and REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4, 6.35 and 6.36).</summary>
static class MaintenanceCommands
{
    const int AllCommands = 0, OneOperationCode = 1, OneServiceAction = 2, Either = 3;
    const int Supported = 3, NotSupported = 1, TimeoutsBit = 0x80, TimeoutsBytes = 12;

    public static readonly CommandDescription[] Descriptions =
    [
        new("REPORT SUPPORTED OPERATION CODES",
            [0xA3, 0x0C, 0x87, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00], DecodeOperationCodes, ReportOperationCodes)
        { ServiceAction = 0x0C, Direction = DataDirection.In, ReachesTo = PathState.Standby },
        new("REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS",
            [0xA3, 0x0D, 0x80, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00], DecodeFunctions, ReportFunctions)
        { ServiceAction = 0x0D, Direction = DataDirection.In, ReachesTo = PathState.Standby },
    ];

    static Sense? DecodeOperationCodes(ScsiCommand command)
    {
        command.DataBytes = command.UInt32(6);
        var hasServiceActions = CommandTable.HasServiceActions(command.Cdb[3]);
        return (command.Cdb[2] & 7) switch
        {
            AllCommands or Either => null,
            OneOperationCode => hasServiceActions ? Sense.InvalidFieldInCdb(2) : null,
            OneServiceAction => hasServiceActions ? null : Sense.InvalidFieldInCdb(2),
            _ => Sense.InvalidFieldInCdb(2),
        };
    }

    static ValueTask<ScsiResult> ReportOperationCodes(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        var timeouts = (command.Cdb[2] & TimeoutsBit) != 0;
        if ((command.Cdb[2] & 7) == AllCommands) return command.Answer(DescribeAll(command.Unit, timeouts));
        var operationCode = command.Cdb[3];
        var description = CommandTable.HasServiceActions(operationCode)
            ? CommandTable.Find(operationCode, command.UInt16(4))
            : CommandTable.Find(operationCode, serviceAction: -1);
        if (description is not null && !CommandTable.IsOffered(description, command.Unit)) description = null;
        return command.Answer(DescribeOne(description, timeouts));
    }

    // All commands: 0  bytes that follow (4), then per command
    //   0  operation code   2  service action (2)   5  CTDP 02h, SERVACTV 01h   6  CDB length (2)   [8  timeouts]
    static byte[] DescribeAll(LogicalUnit unit, bool timeouts)
    {
        var all = CommandTable.AllOf(unit).ToArray();
        var each = 8 + (timeouts ? TimeoutsBytes : 0);
        var answer = new byte[4 + (all.Length * each)];
        BinaryPrimitives.WriteInt32BigEndian(answer, answer.Length - 4);
        for (var i = 0; i < all.Length; i++)
        {
            var target = answer.AsSpan(4 + (i * each), each);
            target[0] = all[i].OperationCode;
            BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)Math.Max(0, all[i].ServiceAction));
            target[5] = (byte)((timeouts ? 2 : 0) | (all[i].ServiceAction >= 0 ? 1 : 0));
            BinaryPrimitives.WriteUInt16BigEndian(target[6..], (ushort)all[i].UsageMask.Length);
            if (timeouts) WriteTimeouts(target[8..]);
        }
        return answer;
    }

    // One command: 1  CTDP 80h, support   2  CDB length (2)   4  usage mask   [timeouts]
    static byte[] DescribeOne(CommandDescription? description, bool timeouts)
    {
        if (description is null) return [0, NotSupported, 0, 0];
        var mask = description.UsageMask;
        var answer = new byte[4 + mask.Length + (timeouts ? TimeoutsBytes : 0)];
        answer[1] = (byte)(Supported | (timeouts ? 0x80 : 0));
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(2), (ushort)mask.Length);
        mask.CopyTo(answer, 4);
        if (timeouts) WriteTimeouts(answer.AsSpan(4 + mask.Length));
        return answer;
    }

    /// <summary>Command timeouts descriptor: its length, and no time that is promised.</summary>
    static void WriteTimeouts(Span<byte> target) => BinaryPrimitives.WriteUInt16BigEndian(target, TimeoutsBytes - 2);

    static Sense? DecodeFunctions(ScsiCommand command)
    {
        command.DataBytes = command.UInt32(6);
        return command.DataBytes < 4 ? Sense.InvalidFieldInCdb(6) : null;
    }

    static ValueTask<ScsiResult> ReportFunctions(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        const int abortTask = 0x80, abortTaskSet = 0x40, clearTaskSet = 0x10, logicalUnitReset = 0x08, targetReset = 0x02;
        const int extendedBit = 0x80, extendedBytes = 16;
        var answer = new byte[(command.Cdb[2] & extendedBit) != 0 ? extendedBytes : 4];
        answer[0] = abortTask | abortTaskSet | clearTaskSet | logicalUnitReset | targetReset;
        answer[3] = (byte)(answer.Length - 4);
        return command.Answer(answer);
    }
}
