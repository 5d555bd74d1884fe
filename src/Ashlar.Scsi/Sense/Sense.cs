using System.Buffers.Binary;

namespace Ashlar.Scsi;

/// <summary>Why a command did not end well (SPC-4, 4.5).</summary>
/// <param name="Key">Kind of condition.</param>
/// <param name="Additional">What exactly.</param>
/// <param name="Information">A block address or byte offset that belongs to it.</param>
/// <param name="FieldPointer">Sense-key specific bytes, 24 bits: which field of the request is wrong; 0 for none.</param>
/// <param name="CommandSpecific">What the command says that it is; null for none.</param>
public readonly record struct Sense(
    SenseKey Key, AdditionalSense Additional, ulong? Information = null, uint FieldPointer = 0, uint? CommandSpecific = null)
{
    // Fixed format (SPC-4, 4.5.3)                 Descriptor format (4.5.2)
    //   0    70h | VALID 80h                        0    72h
    //   2    key                                    1    key
    //   3    information, 4 bytes                   2    ASC, ASCQ
    //   7    bytes that follow: 10                  7    bytes that follow
    //   8    command-specific, 4 bytes              8    00h 0Ah 80h 00h, information of 8 bytes
    //   12   ASC, ASCQ                              ..   01h 0Ah 00h 00h, command-specific of 8 bytes
    //   15   sense-key specific, 3 bytes            ..   02h 06h 00h 00h, sense-key specific, 00h

    /// <summary>Bytes of the fixed format.</summary>
    public const int FixedSizeBytes = 18;

    /// <summary>Most bytes that <see cref="Write"/> fills in either format.</summary>
    public const int MaxSizeBytes = 8 + 12 + 12 + 8;

    const uint Valid = 0x80_0000, InCdb = 0x40_0000, InSegment = 0x20_0000;

    /// <summary>05/24/00: a field of the command is wrong.</summary>
    /// <param name="byteOffset">Where the field starts in the CDB.</param>
    public static Sense InvalidFieldInCdb(int byteOffset) =>
        new(SenseKey.IllegalRequest, AdditionalSense.InvalidFieldInCdb, null, Valid | InCdb | (uint)byteOffset);

    /// <summary>05/26/00: a field of the command's data is wrong.</summary>
    /// <param name="byteOffset">Where the field starts in the data.</param>
    public static Sense InvalidFieldInParameterList(int byteOffset) =>
        new(SenseKey.IllegalRequest, AdditionalSense.InvalidFieldInParameterList, null, Valid | (ushort)byteOffset);

    /// <summary>0A: a copy ended before its end (SPC-4, 5.16.8.2).</summary>
    /// <param name="additional">Why.</param>
    /// <param name="segment">The segment that it is about, counted from 0.</param>
    /// <param name="byteOffset">Where the field that is wrong starts in the segment's descriptor; null for none.</param>
    public static Sense CopyAborted(AdditionalSense additional, int segment, int? byteOffset = null) => new(
        SenseKey.CopyAborted,
        additional,
        null,
        byteOffset is { } at ? Valid | InSegment | (uint)at : 0,
        (uint)segment);

    /// <summary>05/1A/00: the command's data ends too early.</summary>
    public static Sense ParameterListLengthError { get; } = new(SenseKey.IllegalRequest, AdditionalSense.ParameterListLengthError);

    /// <summary>05/20/00: no such command.</summary>
    public static Sense InvalidOperationCode { get; } =
        new(SenseKey.IllegalRequest, AdditionalSense.InvalidOperationCode, null, Valid | InCdb);

    /// <summary>05/21/00: blocks beyond the end.</summary>
    public static Sense LbaOutOfRange { get; } = new(SenseKey.IllegalRequest, AdditionalSense.LbaOutOfRange);

    /// <summary>05/25/00: no such logical unit.</summary>
    public static Sense LogicalUnitNotSupported { get; } = new(SenseKey.IllegalRequest, AdditionalSense.LogicalUnitNotSupported);

    /// <summary>04/44/00: a bug of ours.</summary>
    public static Sense InternalTargetFailure { get; } = new(SenseKey.HardwareError, AdditionalSense.InternalTargetFailure);

    /// <summary>Writes the sense data.</summary>
    /// <returns>Bytes written.</returns>
    public int Write(Span<byte> target, bool descriptorFormat) => descriptorFormat ? WriteDescriptors(target) : WriteFixed(target);

    int WriteFixed(Span<byte> target)
    {
        target[..FixedSizeBytes].Clear();
        target[0] = 0x70;
        target[2] = (byte)Key;
        // The field has 32 bits; what does not fit must not be reported as valid (SPC-4, 4.5.3).
        if (Information is { } information and <= uint.MaxValue)
        {
            target[0] |= 0x80;
            BinaryPrimitives.WriteUInt32BigEndian(target[3..], (uint)information);
        }
        target[7] = FixedSizeBytes - 8;
        BinaryPrimitives.WriteUInt32BigEndian(target[8..], CommandSpecific ?? 0);
        BinaryPrimitives.WriteUInt16BigEndian(target[12..], (ushort)Additional);
        BinaryPrimitives.WriteUInt32BigEndian(target[14..], FieldPointer);
        return FixedSizeBytes;
    }

    int WriteDescriptors(Span<byte> target)
    {
        target[..MaxSizeBytes].Clear();
        target[0] = 0x72;
        target[1] = (byte)Key;
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)Additional);
        var end = 8;
        if (Information is { } information)
        {
            target[end + 1] = 0x0A;
            target[end + 2] = 0x80;
            BinaryPrimitives.WriteUInt64BigEndian(target[(end + 4)..], information);
            end += 12;
        }
        if (CommandSpecific is { } specific)
        {
            target[end] = 0x01;
            target[end + 1] = 0x0A;
            BinaryPrimitives.WriteUInt64BigEndian(target[(end + 4)..], specific);
            end += 12;
        }
        if (FieldPointer != 0)
        {
            target[end] = 0x02;
            target[end + 1] = 0x06;
            BinaryPrimitives.WriteUInt32BigEndian(target[(end + 4)..], FieldPointer << 8);
            end += 8;
        }
        target[7] = (byte)(end - 8);
        return end;
    }
}
