using System.Buffers.Binary;
using Ashlar.Blocks;

namespace Ashlar.Scsi;

/// <summary>PERSISTENT RESERVE OUT (SPC-4, 6.16): a door to <see cref="PersistentReservations"/>, which say what follows.</summary>
static class PersistentReserveOutCommands
{
    const byte OperationCode = 0x5F;

    const int ListBytes = 24, FlagsOffset = 20;

    const int SpecifyPortsBit = 0x08, AllPortsBit = 0x04, PersistBit = 0x01;

    public static readonly CommandDescription[] Descriptions =
    [
        Describe("REGISTER", 0x00, hasType: false, static (unit, who, list, _) => Register(unit, who, list, ignoreKey: false)),
        Describe("RESERVE", 0x01, hasType: true, static (unit, who, list, type) => new(unit.Reserve(who, Key(list), type))),
        Describe("RELEASE", 0x02, hasType: true, static (unit, who, list, type) => new(unit.Release(who, Key(list), type))),
        Describe("CLEAR", 0x03, hasType: false, static (unit, who, list, _) => new(unit.Clear(who, Key(list)))),
        Describe("PREEMPT", 0x04, hasType: true, Preempt),
        Describe("PREEMPT AND ABORT", 0x05, hasType: true, Preempt, aborts: true),
        Describe(
            "REGISTER AND IGNORE EXISTING KEY", 0x06, hasType: false,
            static (unit, who, list, _) => Register(unit, who, list, ignoreKey: true)),
    ];

    delegate Answer Action(PersistentReservations unit, Registrant who, ReadOnlySpan<byte> list, ReservationType type);

    readonly record struct Answer(ReservationOutcome Outcome, IReadOnlyCollection<Registrant>? Removed = null);

    static CommandDescription Describe(string name, byte serviceAction, bool hasType, Action act, bool aborts = false) => new(
        $"PERSISTENT RESERVE OUT: {name}",
        [OperationCode, serviceAction, (byte)(hasType ? 0xFF : 0x00), 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00],
        command => Decode(command, hasType),
        (command, list) => ExecuteAsync(command, list, act, aborts))
    { ServiceAction = serviceAction, Direction = DataDirection.Out, MayWait = true, ReachesTo = PathState.Standby };

    // 2  scope F0h: the unit alone   2  type 0Fh   5  bytes of the list
    static Sense? Decode(ScsiCommand command, bool hasType)
    {
        if (hasType && !((ReservationType)command.Cdb[2]).IsKnown()) return Sense.InvalidFieldInCdb(2);
        if (command.UInt32(5) != ListBytes) return Sense.ParameterListLengthError;
        command.DataBytes = ListBytes;
        return null;
    }

    // Parameter list: 0  key   8  service action key   20  SPEC_I_PT 08h, ALL_TG_PT 04h, APTPL 01h
    static async ValueTask<ScsiResult> ExecuteAsync(ScsiCommand command, ReadOnlyMemory<byte> list, Action act, bool aborts)
    {
        if (list.Length < ListBytes) return ScsiResult.Check(Sense.ParameterListLengthError);
        var flags = list.Span[FlagsOffset];
        if ((flags & (SpecifyPortsBit | AllPortsBit)) != 0) return ScsiResult.Check(Sense.InvalidFieldInParameterList(FlagsOffset));
        var reservations = command.Unit.Volume.Access.Persistent;
        if ((flags & PersistBit) != 0 && !reservations.CanPersist)
            return ScsiResult.Check(Sense.InvalidFieldInParameterList(FlagsOffset));
        try
        {
            var answer = act(reservations, command.Session.Registrant, list.Span, (ReservationType)command.Cdb[2]);
            if (aborts && answer.Removed is { Count: > 0 } removed) await command.Unit.Volume.DrainAsync(removed);
            return ToResult(answer.Outcome);
        }
        catch (Exception e) when (DeviceErrors.IsDeviceError(e))
        {
            return ScsiResult.Check(Sense.InternalTargetFailure); // It could not be stored: nothing has changed.
        }
    }

    static Answer Register(PersistentReservations unit, Registrant who, ReadOnlySpan<byte> list, bool ignoreKey) =>
        new(unit.Register(who, Key(list), ActionKey(list), ignoreKey, persists: (list[FlagsOffset] & PersistBit) != 0));

    static Answer Preempt(PersistentReservations unit, Registrant who, ReadOnlySpan<byte> list, ReservationType type) =>
        new(unit.Preempt(who, Key(list), ActionKey(list), type, out var removed), removed);

    static ulong Key(ReadOnlySpan<byte> list) => BinaryPrimitives.ReadUInt64BigEndian(list);

    static ulong ActionKey(ReadOnlySpan<byte> list) => BinaryPrimitives.ReadUInt64BigEndian(list[8..]);

    static ScsiResult ToResult(ReservationOutcome outcome) => outcome switch
    {
        ReservationOutcome.Done => ScsiResult.Good,
        ReservationOutcome.Conflict => new(ScsiStatus.ReservationConflict),
        ReservationOutcome.OtherType => Refused(AdditionalSense.InvalidReleaseOfPersistentReservation),
        ReservationOutcome.Full => Refused(AdditionalSense.InsufficientRegistrationResources),
        _ => ScsiResult.Check(Sense.InvalidFieldInParameterList(8)),
    };

    static ScsiResult Refused(AdditionalSense why) => ScsiResult.Check(new(SenseKey.IllegalRequest, why));
}
