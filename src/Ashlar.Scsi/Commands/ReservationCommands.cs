namespace Ashlar.Scsi;

/// <summary>
/// RESERVE and RELEASE 6 and 10 (SPC-2, 7.16 to 7.19): one initiator keeps the whole unit for itself until it releases it,
/// leaves, or the unit is reset.
/// </summary>
static class ReservationCommands
{
    const int ThirdPartyOrExtent = 0x11;

    public static readonly CommandDescription[] Descriptions =
    [
        new("RESERVE(6)", [0x16, 0x11, 0x00, 0x00, 0x00, 0x00], Decode, Reserve),
        new("RELEASE(6)", [0x17, 0x11, 0x00, 0x00, 0x00, 0x00], Decode, Release) { AllowedUnderReservation = true },
        new("RESERVE(10)", [0x56, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00], Decode, Reserve),
        new("RELEASE(10)", [0x57, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00], Decode, Release)
        { AllowedUnderReservation = true },
    ];

    static Sense? Decode(ScsiCommand command) =>
        (command.Cdb[1] & ThirdPartyOrExtent) != 0 ? Sense.InvalidFieldInCdb(1) : null;

    static ValueTask<ScsiResult> Reserve(ScsiCommand command, ReadOnlyMemory<byte> dataOut) =>
        new(command.Unit.Volume.Access.TryReserve(command.Session) ? ScsiResult.Good : new(ScsiStatus.ReservationConflict));

    // Releasing what one does not hold is no error (SPC-2, 7.18.1).
    static ValueTask<ScsiResult> Release(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        command.Unit.Volume.Access.Release(command.Session);
        return new(ScsiResult.Good);
    }
}
