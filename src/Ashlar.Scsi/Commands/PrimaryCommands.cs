using System.Buffers.Binary;

namespace Ashlar.Scsi;

/// <summary>TEST UNIT READY, REQUEST SENSE, INQUIRY, REPORT LUNS, START STOP UNIT, PREVENT ALLOW (SPC-4 and SBC-3).</summary>
static class PrimaryCommands
{
    public static readonly CommandDescription[] Descriptions =
    [
        new("TEST UNIT READY", [0x00, 0x00, 0x00, 0x00, 0x00, 0x00], static _ => null, Nothing),
        new("REQUEST SENSE", [0x03, 0x01, 0x00, 0x00, 0xFF, 0x00], static command => Allocate(command, command.Cdb[4]), RequestSense)
        { Direction = DataDirection.In, AlwaysAnswered = true },
        new("INQUIRY", [0x12, 0x01, 0xFF, 0xFF, 0xFF, 0x00], DecodeInquiry, Inquire)
        { Direction = DataDirection.In, AlwaysAnswered = true },
        new("START STOP UNIT", [0x1B, 0x01, 0x00, 0x00, 0xF7, 0x00], static _ => null, StartStop)
        { MayWait = true, CountsAs = MediumAccess.Write },
        new("PREVENT ALLOW MEDIUM REMOVAL", [0x1E, 0x00, 0x00, 0x00, 0x03, 0x00], static _ => null, Nothing)
        { AllowedUnderReservation = true },
        new("REPORT LUNS", [0xA0, 0x00, 0xFF, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00], DecodeReportLuns, ReportLuns)
        { Direction = DataDirection.In, AlwaysAnswered = true },
    ];

    static Sense? Allocate(ScsiCommand command, uint allocationLength)
    {
        command.DataBytes = allocationLength;
        return null;
    }

    static ValueTask<ScsiResult> Nothing(ScsiCommand command, ReadOnlyMemory<byte> dataOut) => new(ScsiResult.Good);

    static ValueTask<ScsiResult> RequestSense(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        Sense sense = default;
        if (!command.HasUnit) sense = Sense.LogicalUnitNotSupported;
        else if (command.Nexus.TryTakeAttention(out var attention)) sense = attention;
        var answer = new byte[Sense.MaxSizeBytes];
        var length = sense.Write(answer, descriptorFormat: (command.Cdb[1] & 1) != 0);
        return command.Answer(answer.AsMemory(0, length));
    }

    static Sense? DecodeInquiry(ScsiCommand command)
    {
        command.DataBytes = command.UInt16(3);
        var vital = (command.Cdb[1] & 1) != 0;
        if ((command.Cdb[1] & 0xFE) != 0) return Sense.InvalidFieldInCdb(1); // CMDDT is obsolete.
        var known = vital ? InquiryData.HasPage(command.Cdb[2]) && command.HasUnit : command.Cdb[2] == 0;
        return known ? null : Sense.InvalidFieldInCdb(2);
    }

    static ValueTask<ScsiResult> Inquire(ScsiCommand command, ReadOnlyMemory<byte> dataOut) => command.Answer(
        (command.Cdb[1] & 1) != 0
            ? InquiryData.VitalProductData(command.Cdb[2], command.Unit, command.Port)
            : InquiryData.Standard(command.HasUnit));

    // Stopping means that data may soon be without power, so the cache is emptied (SBC-3, 5.25). There is nothing to stop.
    static ValueTask<ScsiResult> StartStop(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        const int start = 1, noFlush = 4;
        var stops = (command.Cdb[4] & (start | noFlush)) == 0;
        return stops ? WriteCommands.Flush(command, dataOut) : new(ScsiResult.Good);
    }

    static Sense? DecodeReportLuns(ScsiCommand command)
    {
        const int withoutWellKnown = 0, wellKnown = 1, all = 2, leastAllocation = 16;
        if (command.Cdb[2] is not (withoutWellKnown or wellKnown or all)) return Sense.InvalidFieldInCdb(2);
        if (command.UInt32(6) < leastAllocation) return Sense.InvalidFieldInCdb(6);
        return Allocate(command, command.UInt32(6));
    }

    // REPORT LUNS parameter data (SPC-4, 6.33): length of the list (4), reserved (4), addresses of 8 bytes.
    static ValueTask<ScsiResult> ReportLuns(ScsiCommand command, ReadOnlyMemory<byte> dataOut)
    {
        const int wellKnownOnly = 1, headerBytes = 8;
        int[] numbers = command.Cdb[2] == wellKnownOnly ? [] : [.. command.Port.LunNumbers];
        var answer = new byte[headerBytes + (numbers.Length * LunAddress.SizeBytes)];
        BinaryPrimitives.WriteInt32BigEndian(answer, answer.Length - headerBytes);
        for (var i = 0; i < numbers.Length; i++)
            LunAddress.Write(answer.AsSpan(headerBytes + (i * LunAddress.SizeBytes)), numbers[i]);
        return command.Answer(answer);
    }
}
