using System.Buffers.Binary;

namespace Ashlar.Iscsi;

/// <summary>What all headers share (RFC 7143, 11.2). Fields are big-endian.</summary>
// Byte   0          1          2          3
//        +----------+----------+----------+----------+
//     0  |.|I|Opcode|F| Opcode-specific              |   I: immediate delivery. F: final.
//     4  |AHS words | DataSegmentLength              |   AHS in words of 4 bytes; data without its padding.
//     8  | LUN, or opcode-specific (8 bytes)         |
//    16  | Initiator Task Tag                        |
//    20  | opcode-specific (28 bytes)                |
//    48  +-------------------------------------------+   then AHS, data, padding to 4 bytes
static class BasicHeaderSegment
{
    public const int SizeBytes = 48;
    public const int LunOffset = 8;
    public const byte FinalBit = 0x80;

    /// <summary>Tag that names no task.</summary>
    public const uint NoTag = 0xFFFF_FFFF;

    /// <summary>Most bytes that a header can announce as data.</summary>
    public const int MaxDataSegmentBytes = 0xFF_FFFF;

    const byte ImmediateBit = 0x40, OpcodeMask = 0x3F;

    public static Opcode ReadOpcode(ReadOnlySpan<byte> header) => (Opcode)(header[0] & OpcodeMask);

    public static bool IsImmediate(ReadOnlySpan<byte> header) => (header[0] & ImmediateBit) != 0;

    public static bool IsFinal(ReadOnlySpan<byte> header) => (header[1] & FinalBit) != 0;

    public static int ReadAhsLength(ReadOnlySpan<byte> header) => header[4] * 4;

    public static int ReadDataSegmentLength(ReadOnlySpan<byte> header) => (int)(UInt32(header, 4) & MaxDataSegmentBytes);

    public static uint ReadInitiatorTaskTag(ReadOnlySpan<byte> header) => UInt32(header, 16);

    /// <summary>Clears a header and writes its first words.</summary>
    public static void Write(
        Span<byte> header, Opcode opcode, int flags, int dataSegmentLength, uint initiatorTaskTag, bool immediate = false)
    {
        header[..SizeBytes].Clear();
        header[0] = (byte)((int)opcode | (immediate ? ImmediateBit : 0));
        header[1] = (byte)flags;
        SetUInt32(header, 4, (uint)dataSegmentLength);
        SetUInt32(header, 16, initiatorTaskTag);
    }

    /// <summary>Bytes that follow data to the next multiple of 4.</summary>
    public static int Padding(int lengthBytes) => -lengthBytes & 3;

    public static uint UInt32(ReadOnlySpan<byte> header, int offset) => BinaryPrimitives.ReadUInt32BigEndian(header[offset..]);

    public static ushort UInt16(ReadOnlySpan<byte> header, int offset) => BinaryPrimitives.ReadUInt16BigEndian(header[offset..]);

    public static void SetUInt32(Span<byte> header, int offset, uint value) =>
        BinaryPrimitives.WriteUInt32BigEndian(header[offset..], value);

    public static void SetUInt16(Span<byte> header, int offset, int value) =>
        BinaryPrimitives.WriteUInt16BigEndian(header[offset..], checked((ushort)value));
}
