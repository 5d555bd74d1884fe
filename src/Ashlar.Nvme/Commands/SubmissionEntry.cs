using System.Buffers.Binary;

namespace Ashlar.Nvme;

// Submission queue entry, little-endian (NVM Express Base 2.0, 3.3.3.1), with an SGL descriptor as fabrics demand. A Fabrics command
// has its type in the place of the namespace.
//   0         1       2     4      8    24                 40     44     ...  60     64
//   +---------+-------+-----+------+----+------------------+------+------+-----+------+
//   | opcode  | flags | CID | NSID | .. | SGL descriptor   | CDW10| CDW11| ... | CDW15|
//   +---------+-------+-----+------+----+------------------+------+------+-----+------+
//                                       24        32       36     39     40
//                                       +---------+--------+------+------+
//                                       | address | length | rsvd | kind |
//                                       +---------+--------+------+------+
readonly record struct SubmissionEntry(
    byte Opcode,
    byte Flags,
    ushort CommandId,
    uint NamespaceId,
    SglDescriptor Data,
    uint Dword10,
    uint Dword11,
    uint Dword12,
    uint Dword13,
    uint Dword14,
    uint Dword15)
{
    public const int SizeBytes = 64;
    public const byte FabricsOpcode = 0x7F;
    public const uint AllNamespaces = 0xFFFF_FFFF;
    const int FlagsOffset = 1, CommandIdOffset = 2, NamespaceIdOffset = 4, DataOffset = 24, DwordsOffset = 40;
    const byte FuseMask = 0x03, SglMask = 0xC0, SglInCommand = 0x40;

    /// <summary>Its part in a fused operation.</summary>
    public FusedPart Fused => (FusedPart)(Flags & FuseMask);

    /// <summary>Whether data are described by an SGL, as they must be over fabrics.</summary>
    public bool HasSgl => (Flags & SglMask) == SglInCommand;

    public bool IsFabrics => Opcode == FabricsOpcode;

    public FabricsType FabricsType => (FabricsType)NamespaceId;

    /// <summary>Whether data go from the host to the controller: the two lowest bits of the opcode, or of the type, say so.</summary>
    public bool TakesData => ((IsFabrics ? (byte)NamespaceId : Opcode) & 3) == 1;

    /// <summary>Dwords 10 and 11, or 12 and 13, as one number.</summary>
    public ulong Quad10 => Dword10 | ((ulong)Dword11 << 32);

    public ulong Quad12 => Dword12 | ((ulong)Dword13 << 32);

    public static SubmissionEntry Read(ReadOnlySpan<byte> source) => new(
        source[0],
        source[FlagsOffset],
        BinaryPrimitives.ReadUInt16LittleEndian(source[CommandIdOffset..]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[NamespaceIdOffset..]),
        SglDescriptor.Read(source[DataOffset..]),
        ReadDword(source, 0),
        ReadDword(source, 1),
        ReadDword(source, 2),
        ReadDword(source, 3),
        ReadDword(source, 4),
        ReadDword(source, 5));

    public void Write(Span<byte> target)
    {
        target[..SizeBytes].Clear();
        target[0] = Opcode;
        target[FlagsOffset] = Flags;
        BinaryPrimitives.WriteUInt16LittleEndian(target[CommandIdOffset..], CommandId);
        BinaryPrimitives.WriteUInt32LittleEndian(target[NamespaceIdOffset..], NamespaceId);
        Data.Write(target[DataOffset..]);
        ReadOnlySpan<uint> dwords = [Dword10, Dword11, Dword12, Dword13, Dword14, Dword15];
        for (var i = 0; i < dwords.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(target[(DwordsOffset + (4 * i))..], dwords[i]);
    }

    static uint ReadDword(ReadOnlySpan<byte> source, int index) =>
        BinaryPrimitives.ReadUInt32LittleEndian(source[(DwordsOffset + (4 * index))..]);
}

/// <summary>The part of a command in a fused operation.</summary>
enum FusedPart : byte
{
    None = 0,
    First = 1,
    Second = 2,
    Reserved = 3,
}

/// <summary>Where the data of a command are (NVM Express Base 2.0, 4.1.2, and NVMe/TCP Transport 1.0, 3.3.2).</summary>
readonly record struct SglDescriptor(ulong Address, uint LengthBytes, byte Kind)
{
    /// <summary>Within the capsule, from an offset.</summary>
    public const byte InCapsule = 0x01;

    /// <summary>In PDUs of their own.</summary>
    public const byte Transport = 0x5A;

    const int LengthOffset = 8, KindOffset = 15;

    public static SglDescriptor Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(source),
        BinaryPrimitives.ReadUInt32LittleEndian(source[LengthOffset..]),
        source[KindOffset]);

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target, Address);
        BinaryPrimitives.WriteUInt32LittleEndian(target[LengthOffset..], LengthBytes);
        target[KindOffset] = Kind;
    }
}
