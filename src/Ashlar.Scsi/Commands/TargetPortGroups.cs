using System.Buffers.Binary;
using Ashlar.Blocks;

namespace Ashlar.Scsi;

/// <summary>
/// Asymmetric logical unit access (ALUA, SPC-4, 5.15.2): REPORT TARGET PORT GROUPS, and what a path carries in its state. Each portal is a
/// target port group of one port; initiators do not change states, so there is no SET TARGET PORT GROUPS.
/// </summary>
static class TargetPortGroups
{
    const int FormatMask = 0xE0, LengthOnly = 0x00, ExtendedHeader = 0x20;

    public static readonly CommandDescription[] Descriptions =
    [
        new("REPORT TARGET PORT GROUPS",
            [0xA3, 0xEA, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00], Decode, Report)
        { ServiceAction = 0x0A, Direction = DataDirection.In, AllowedUnderReservation = true, ReachesTo = PathState.Unavailable },
    ];

    /// <summary>Why a path in this state does not carry a command; null where it does.</summary>
    public static Sense? Refusal(PathState state, CommandDescription command)
    {
        if (state <= command.ReachesTo) return null;
        return new(
            SenseKey.NotReady,
            state == PathState.Standby ? AdditionalSense.TargetPortInStandbyState : AdditionalSense.TargetPortInUnavailableState);
    }

    static Sense? Decode(ScsiCommand command)
    {
        command.DataBytes = command.UInt32(6);
        return (command.Cdb[1] & FormatMask) is LengthOnly or ExtendedHeader ? null : Sense.InvalidFieldInCdb(1);
    }

    // Parameter data (SPC-4, 6.33): 0  bytes that follow (4)   [extended: 4  format 10h   5  seconds of a transition   6  reserved (2)]
    // then for each group of one port
    //   0  state   1  states that there may be   2  group (2)   5  why it has its state   7  ports   8  reserved (2)   10  port (2)
    static ValueTask<ScsiResult> Report(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        const int lengthBytes = 4, extendedBytes = 8, groupBytes = 12;
        const byte extended = 0x10, states = 0x0F; // Unavailable, standby, active/non-optimized, active/optimized.
        const byte changedByTarget = 2;
        var paths = command.Port.Paths;
        var header = (command.Cdb[1] & FormatMask) == ExtendedHeader ? extendedBytes : lengthBytes;
        var answer = new byte[header + (paths.Groups.Count * groupBytes)];
        BinaryPrimitives.WriteInt32BigEndian(answer, answer.Length - lengthBytes);
        if (header == extendedBytes) answer[4] = extended; // No time for transitions is needed.
        for (var i = 0; i < paths.Groups.Count; i++)
        {
            var group = paths.Groups[i];
            var target = answer.AsSpan(header + (i * groupBytes), groupBytes);
            target[0] = (byte)paths.Of(group);
            target[1] = states;
            BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)group);
            target[5] = paths.ChangesOf(group) > 0 ? changedByTarget : (byte)0;
            target[7] = 1;
            BinaryPrimitives.WriteUInt16BigEndian(target[10..], (ushort)group);
        }
        return command.Answer(answer);
    }
}
