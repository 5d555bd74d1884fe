using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi;

/// <summary>Task Management Function Request (RFC 7143, 11.5).</summary>
//     0  |.|I| 0x02 |1| Function | reserved          |
//     8  | LUN                                       |
//    16  | Initiator Task Tag                        |
//    20  | Referenced Task Tag                       |   of the task to abort; FFFFFFFF for the other functions
//    24  | CmdSN                                     |
//    28  | ExpStatSN                                 |
//    32  | RefCmdSN                                  |   CmdSN of the task to abort
//    36  | ExpDataSN                                 |
readonly record struct TaskManagementRequestPdu(
    bool Immediate,
    TaskManagementFunction Function,
    uint InitiatorTaskTag,
    uint ReferencedTaskTag,
    uint CmdSN,
    uint ExpStatSN,
    uint RefCmdSN)
{
    public static TaskManagementRequestPdu Read(ReadOnlySpan<byte> header) => new(
        Bhs.IsImmediate(header),
        (TaskManagementFunction)(header[1] & 0x7F),
        Bhs.ReadInitiatorTaskTag(header),
        Bhs.UInt32(header, 20),
        Bhs.UInt32(header, 24),
        Bhs.UInt32(header, 28),
        Bhs.UInt32(header, 32));

    public void Write(Span<byte> header, ReadOnlySpan<byte> lun)
    {
        Bhs.Write(header, Opcode.TaskManagementRequest, Bhs.FinalBit | (int)Function, 0, InitiatorTaskTag, Immediate);
        lun.CopyTo(header[Bhs.LunOffset..]);
        Bhs.SetUInt32(header, 20, ReferencedTaskTag);
        Bhs.SetUInt32(header, 24, CmdSN);
        Bhs.SetUInt32(header, 28, ExpStatSN);
        Bhs.SetUInt32(header, 32, RefCmdSN);
    }
}

/// <summary>Task Management Function Response (RFC 7143, 11.6).</summary>
//     0  |.|.| 0x22 |1| reserved | Response | res.   |
//    16  | Initiator Task Tag                        |
//    24  | StatSN, ExpCmdSN, MaxCmdSN                |
readonly record struct TaskManagementResponsePdu(uint InitiatorTaskTag, TaskManagementResult Result)
{
    public static TaskManagementResponsePdu Read(ReadOnlySpan<byte> header) =>
        new(Bhs.ReadInitiatorTaskTag(header), (TaskManagementResult)header[2]);

    public void Write(Span<byte> header, TargetNumbers numbers)
    {
        Bhs.Write(header, Opcode.TaskManagementResponse, Bhs.FinalBit, 0, InitiatorTaskTag);
        header[2] = (byte)Result;
        numbers.Write(header);
    }
}

/// <summary>Functions (RFC 7143, 11.5.1).</summary>
enum TaskManagementFunction
{
    AbortTask = 1,
    AbortTaskSet = 2,
    ClearAca = 3,
    ClearTaskSet = 4,
    LogicalUnitReset = 5,
    TargetWarmReset = 6,
    TargetColdReset = 7,
    TaskReassign = 8,
}

/// <summary>Answers (RFC 7143, 11.6.1).</summary>
enum TaskManagementResult
{
    Complete = 0,
    NoSuchTask = 1,
    NoSuchLun = 2,
    StillAllegiant = 3,
    ReassignNotSupported = 4,
    NotSupported = 5,
    AuthorizationFailed = 6,
    Rejected = 255,
}
