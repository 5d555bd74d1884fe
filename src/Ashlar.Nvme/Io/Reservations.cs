using System.Buffers.Binary;
using Ashlar.Blocks;

namespace Ashlar.Nvme;

/// <summary>
/// Reservation commands (NVM Express Base 2.0, 7.2 to 7.5). The state is the volume's, and one for all protocols: what a host may not do
/// because of an initiator's reservation, and the other way round, is decided there.
/// </summary>
static class Reservations
{
    /// <summary>Commands take a key or two.</summary>
    public const int KeyBytes = 8;

    const uint ActionMask = 7, IgnoreKeyBit = 1 << 3, ExtendedBit = 1;
    const uint ToRegister = 0, ToUnregister = 1, ToReplace = 2;
    const uint ToAcquire = 0, ToPreempt = 1, ToPreemptAndAbort = 2;
    const uint ToRelease = 0, ToClear = 1;

    // Report: 0  generation (4)   4  type   5  registrants (2)   9  whether it persists   64  registrants, 64 bytes each:
    //   0  controller (2)   2  bit 0: holds the reservation   8  key (8)   16  host identifier (16)
    const int HeaderBytes = 64, RegistrantBytes = 64;

    // In the order of their numbers here, from 1.
    static readonly ReservationType[] Types =
    [
        ReservationType.WriteExclusive, ReservationType.ExclusiveAccess, ReservationType.WriteExclusiveRegistrantsOnly,
        ReservationType.ExclusiveAccessRegistrantsOnly, ReservationType.WriteExclusiveAllRegistrants,
        ReservationType.ExclusiveAccessAllRegistrants,
    ];

    /// <summary>What a namespace can (RESCAP): all types, and perhaps that the state outlives the server.</summary>
    public static byte Capabilities(VolumeAccess access) => (byte)(0b1111_1110 | (access.Persistent.CanPersist ? 1 : 0));

    /// <summary>Whether the state is to outlive the server: no change, no, or yes.</summary>
    static bool? Persists(uint dword10) => (dword10 >> 30) switch
    {
        2 => false,
        3 => true,
        _ => null,
    };

    public static NvmeStatus Register(ClientSession session, in SubmissionEntry entry, ReadOnlySpan<byte> data)
    {
        var (current, wanted) = (ReadKey(data, 0), ReadKey(data, 1));
        var ignores = (entry.Dword10 & IgnoreKeyBit) != 0;
        var all = session.Volume.Access.Persistent;
        var persists = Persists(entry.Dword10);
        if (persists == true && !all.CanPersist) return NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
        var mine = all.State.Find(session.Registrant);
        switch (entry.Dword10 & ActionMask)
        {
            case ToRegister when wanted != 0:
                // Whoever is registered may say so again with the same key (7.3).
                if (mine is not null && mine.Key != wanted) return NvmeStatus.ReservationConflict | NvmeStatus.DoNotRetry;
                return ToStatus(all.Register(session.Registrant, mine?.Key ?? 0, wanted, ignoreKey: false, persists));
            case ToUnregister when mine is not null:
                return ToStatus(all.Register(session.Registrant, current, 0, ignores, persists));
            case ToReplace when wanted != 0 && (mine is not null || ignores):
                return ToStatus(all.Register(session.Registrant, current, wanted, ignores, persists));
            case ToUnregister or ToReplace when mine is null && !(wanted == 0 && (entry.Dword10 & ActionMask) == ToReplace):
                return NvmeStatus.ReservationConflict | NvmeStatus.DoNotRetry;
            default:
                return NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
        }
    }

    public static ValueTask<NvmeStatus> AcquireAsync(ClientSession session, in SubmissionEntry entry, ReadOnlySpan<byte> data)
    {
        var (current, victims) = (ReadKey(data, 0), ReadKey(data, 1));
        var all = session.Volume.Access.Persistent;
        if ((entry.Dword10 & IgnoreKeyBit) != 0 || TypeOf(entry) is not { } type)
            return new(NvmeStatus.InvalidField | NvmeStatus.DoNotRetry);
        switch (entry.Dword10 & ActionMask)
        {
            case ToAcquire:
                return new(ToStatus(all.Reserve(session.Registrant, current, type)));
            case ToPreempt:
                return new(ToStatus(all.Preempt(session.Registrant, current, victims, type, out _)));
            case ToPreemptAndAbort:
                var outcome = all.Preempt(session.Registrant, current, victims, type, out var removed);
                return removed.Count == 0 ? new(ToStatus(outcome)) : DrainAsync(session.Volume, removed, outcome);
            default:
                return new(NvmeStatus.InvalidField | NvmeStatus.DoNotRetry);
        }
    }

    // What they have under way who have lost their registration has ended when the command is answered.
    static async ValueTask<NvmeStatus> DrainAsync(
        VolumeFront volume, IReadOnlyCollection<Registrant> removed, ReservationOutcome outcome)
    {
        await volume.DrainAsync(removed);
        return ToStatus(outcome);
    }

    public static NvmeStatus Release(ClientSession session, in SubmissionEntry entry, ReadOnlySpan<byte> data)
    {
        var key = ReadKey(data, 0);
        var all = session.Volume.Access.Persistent;
        if ((entry.Dword10 & IgnoreKeyBit) != 0) return NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
        return (entry.Dword10 & ActionMask) switch
        {
            ToRelease when TypeOf(entry) is { } type => ToStatus(all.Release(session.Registrant, key, type)),
            ToClear => ToStatus(all.Clear(session.Registrant, key)),
            _ => NvmeStatus.InvalidField | NvmeStatus.DoNotRetry,
        };
    }

    /// <summary>Dword 10 has the length in dwords, from 0; bit 0 of dword 11 asks for the form with long identifiers of hosts.</summary>
    public static NvmeStatus CheckReport(in SubmissionEntry entry)
    {
        // Over fabrics they have 128 bits, for which the short form has no room.
        if ((entry.Dword11 & ExtendedBit) == 0) return NvmeStatus.HostIdentifierInconsistentFormat | NvmeStatus.DoNotRetry;
        if (entry.Data.Kind != SglDescriptor.Transport) return NvmeStatus.SglDescriptorTypeInvalid | NvmeStatus.DoNotRetry;
        var length = ReportBytes(entry);
        if (length > PduFrame.MaxHostDataBytes) return NvmeStatus.InvalidField | NvmeStatus.DoNotRetry;
        return entry.Data.LengthBytes == length ? NvmeStatus.Success : NvmeStatus.DataSglLengthInvalid | NvmeStatus.DoNotRetry;
    }

    /// <summary>What is reserved and who is registered, as far as the host has asked for it.</summary>
    public static ReadOnlySpan<byte> Report(ClientSession session, in SubmissionEntry entry)
    {
        var length = (int)ReportBytes(entry);
        var state = session.Volume.Access.Persistent.State;
        var report = new byte[Math.Max(length, HeaderBytes + (state.Registrations.Length * RegistrantBytes))];
        BinaryPrimitives.WriteUInt32LittleEndian(report, state.Generation);
        report[4] = state.Type is { } type ? (byte)(Array.IndexOf(Types, type) + 1) : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(report.AsSpan(5), (ushort)state.Registrations.Length);
        report[9] = state.IsPersistent ? (byte)1 : (byte)0;
        for (var i = 0; i < state.Registrations.Length; i++)
            WriteRegistrant(report.AsSpan(HeaderBytes + (i * RegistrantBytes)), state, state.Registrations[i]);
        return report.AsSpan(0, length);
    }

    static long ReportBytes(in SubmissionEntry entry) => ((long)entry.Dword10 + 1) * 4;

    // Registrants need not be hosts of a controller now: FFFFh says so. Those of other protocols have no identifier of a host.
    static void WriteRegistrant(Span<byte> target, ReservationState state, Registration registration)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(target, 0xFFFF);
        target[2] = state.IsHeldBy(registration.Registrant) ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], registration.Key);
        var who = registration.Registrant;
        if (who.Protocol == ClientProtocol.Nvme && Guid.TryParse(who.Name, out var id))
            id.TryWriteBytes(target[16..], bigEndian: true, out _);
    }

    static ReservationType? TypeOf(in SubmissionEntry entry) =>
        (byte)(entry.Dword10 >> 8) is >= 1 and var number && number <= Types.Length ? Types[number - 1] : null;

    static NvmeStatus ToStatus(ReservationOutcome outcome) => outcome switch
    {
        ReservationOutcome.Done => NvmeStatus.Success,
        ReservationOutcome.Conflict => NvmeStatus.ReservationConflict | NvmeStatus.DoNotRetry,
        _ => NvmeStatus.InvalidField | NvmeStatus.DoNotRetry,
    };

    static ulong ReadKey(ReadOnlySpan<byte> data, int index) => BinaryPrimitives.ReadUInt64LittleEndian(data[(index * sizeof(ulong))..]);
}
