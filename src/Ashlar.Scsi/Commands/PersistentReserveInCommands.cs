using System.Buffers.Binary;
using Ashlar.Blocks;

namespace Ashlar.Scsi;

/// <summary>PERSISTENT RESERVE IN (SPC-4, 6.15): who has registered, what is reserved, what there can be.</summary>
static class PersistentReserveInCommands
{
    const byte OperationCode = 0x5E;

    const int HeaderBytes = 8, KeyBytes = 8, ReservationBytes = 16, StatusBytes = 24;

    const int MinTransportIdBytes = 20;

    public static readonly CommandDescription[] Descriptions =
    [
        Describe("READ KEYS", 0x00, ReadKeys),
        Describe("READ RESERVATION", 0x01, ReadReservation),
        Describe("REPORT CAPABILITIES", 0x02, ReportCapabilities),
        Describe("READ FULL STATUS", 0x03, ReadFullStatus),
    ];

    static CommandDescription Describe(string name, byte serviceAction, Func<ScsiCommand, ReservationState, byte[]> answer) => new(
        $"PERSISTENT RESERVE IN: {name}",
        [OperationCode, serviceAction, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00],
        Decode,
        (command, _) => command.Answer(answer(command, command.Unit.Volume.Access.Persistent.State)))
    { ServiceAction = serviceAction, Direction = DataDirection.In, ReachesTo = PathState.Standby };

    static Sense? Decode(ScsiCommand command)
    {
        command.DataBytes = command.UInt16(7);
        return null;
    }

    // 0  generation   4  bytes of keys that follow   8  keys, 8 bytes each
    static byte[] ReadKeys(ScsiCommand command, ReservationState state)
    {
        var answer = WithHeader(state, state.Registrations.Length * KeyBytes);
        foreach (var (i, registration) in state.Registrations.Index())
            BinaryPrimitives.WriteUInt64BigEndian(answer.AsSpan(HeaderBytes + (i * KeyBytes)), registration.Key);
        return answer;
    }

    // 0  generation   4  bytes that follow: 16, or 0 without a reservation
    // 8  key of the holder, 0 where all registrants are   21  scope 0, type
    static byte[] ReadReservation(ScsiCommand command, ReservationState state)
    {
        if (state.Type is not { } type) return WithHeader(state, 0);
        var answer = WithHeader(state, ReservationBytes);
        var key = state.Holder is { } holder ? state.Find(holder)!.Key : 0;
        BinaryPrimitives.WriteUInt64BigEndian(answer.AsSpan(HeaderBytes), key);
        answer[HeaderBytes + 13] = (byte)type;
        return answer;
    }

    // 0  length: 8   2  PTPL_C 01h   3  TMV 80h, PTPL_A 01h   4  types: bits of SPC-4, table 187
    static byte[] ReportCapabilities(ScsiCommand command, ReservationState state)
    {
        const int typeMaskIsValid = 0x80;
        const byte allRegistrantsWriteExclusive = 0x80, registrantsOnlyExclusiveAccess = 0x40, registrantsOnlyWriteExclusive = 0x20,
            exclusiveAccess = 0x08, writeExclusive = 0x02, allRegistrantsExclusiveAccess = 0x01;
        return
        [
            0,
            8,
            (byte)(command.Unit.Volume.Access.Persistent.CanPersist ? 1 : 0),
            (byte)(typeMaskIsValid | (state.IsPersistent ? 1 : 0)),
            allRegistrantsWriteExclusive | registrantsOnlyExclusiveAccess | registrantsOnlyWriteExclusive
                | exclusiveAccess | writeExclusive,
            allRegistrantsExclusiveAccess,
            0,
            0,
        ];
    }

    // 0  generation   4  bytes that follow   8  descriptors:
    //   0  key   12  R_HOLDER 01h   13  scope 0, type, where it holds   18  relative target port   20  bytes of the TransportID   24  that
    static byte[] ReadFullStatus(ScsiCommand command, ReservationState state)
    {
        byte[][] names = [.. state.Registrations.Select(static registration => TransportId(registration.Registrant))];
        var answer = WithHeader(state, names.Sum(static name => StatusBytes + name.Length));
        var at = HeaderBytes;
        foreach (var (i, registration) in state.Registrations.Index())
        {
            var target = answer.AsSpan(at);
            BinaryPrimitives.WriteUInt64BigEndian(target, registration.Key);
            if (state.Type is { } type && state.IsHeldBy(registration.Registrant))
            {
                target[12] = 1;
                target[13] = (byte)type;
            }
            BinaryPrimitives.WriteUInt16BigEndian(target[18..], (ushort)registration.Registrant.Port);
            BinaryPrimitives.WriteInt32BigEndian(target[20..], names[i].Length);
            names[i].CopyTo(target[StatusBytes..]);
            at += StatusBytes + names[i].Length;
        }
        return answer;
    }

    // TransportID of an iSCSI initiator port (SPC-4, 7.6.4.6): 0  format 40h, protocol 5   2  bytes that follow   4  name, NUL, padding.
    // Whoever came by another protocol has none in SCSI; its name stands in the same place, under "no specific protocol".
    static byte[] TransportId(Registrant registrant)
    {
        const int headerBytes = 4, initiatorPort = 0x40, iscsi = 5, noProtocol = 15;
        var nameBytes = System.Text.Encoding.UTF8.GetByteCount(registrant.Name) + 1;
        var id = new byte[headerBytes + Math.Max(MinTransportIdBytes, (nameBytes + 3) & ~3)];
        id[0] = (byte)(registrant.Protocol == ClientProtocol.Iscsi ? initiatorPort | iscsi : noProtocol);
        BinaryPrimitives.WriteUInt16BigEndian(id.AsSpan(2), (ushort)(id.Length - headerBytes));
        System.Text.Encoding.UTF8.GetBytes(registrant.Name, id.AsSpan(headerBytes));
        return id;
    }

    static byte[] WithHeader(ReservationState state, int bytes)
    {
        var answer = new byte[HeaderBytes + bytes];
        BinaryPrimitives.WriteUInt32BigEndian(answer, state.Generation);
        BinaryPrimitives.WriteInt32BigEndian(answer.AsSpan(4), bytes);
        return answer;
    }
}
