using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

// Label of a device that goes on where others end, format version 1. Little-endian, 4,096 bytes, two copies: at byte 0 and at byte 65,536.
// Its blocks begin at byte 131,072.
//
//   0       8         12      16       32       36       40            48      4092
//   +-------+---------+-------+--------+--------+--------+-------------+-------+--------+
//   | Magic | Version | zeros | Set id | Number | zeros  | StartBytes  | zeros | Crc32C |
//   +-------+---------+-------+--------+--------+--------+-------------+-------+--------+
//
// Magic: "ASHLCONC". Set id: UUID, the same on all devices of one set. Number: 1 for the second device of the set, and so on; the first
// has no label. StartBytes: how much lies on the devices before this one. Crc32C covers bytes 0..4092. Written once.
sealed record ConcatLabel(Guid SetId, int Number, long StartBytes)
{
    public const int SizeBytes = 4096, CopyCount = 2, CopyDistanceBytes = 64 * 1024;

    /// <summary>What the labels take at the front of a device.</summary>
    public const int ReservedBytes = CopyCount * CopyDistanceBytes;

    public const uint Version = 1;

    /// <summary>What lies on a device is a whole number of these.</summary>
    public const int UnitBytes = 64 * 1024;

    /// <summary>Most devices of a set.</summary>
    public const int MaxDevices = 1024;

    const int VersionOffset = 8, SetIdOffset = 16, NumberOffset = 32, StartOffset = 40, UsedBytes = 48;
    const int Crc32COffset = SizeBytes - sizeof(uint);

    static ReadOnlySpan<byte> Magic => "ASHLCONC"u8;

    public static bool HasMagic(ReadOnlySpan<byte> source) => source.StartsWith(Magic);

    public void Write(Span<byte> target)
    {
        target[..SizeBytes].Clear();
        Magic.CopyTo(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target[VersionOffset..], Version);
        SetId.TryWriteBytes(target[SetIdOffset..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt32LittleEndian(target[NumberOffset..], Number);
        BinaryPrimitives.WriteInt64LittleEndian(target[StartOffset..], StartBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[Crc32COffset..], Crc32C.Compute(target[..Crc32COffset]));
    }

    /// <summary>Reads one copy.</summary>
    /// <exception cref="UnsupportedFormatException">There is none, or of a version that this program cannot read.</exception>
    /// <exception cref="CorruptDataException">It is damaged.</exception>
    public static ConcatLabel Read(ReadOnlySpan<byte> source, string device, long offsetBytes)
    {
        if (!HasMagic(source)) throw new UnsupportedFormatException(device, "not a device of a set");
        var (expected, actual) = (BinaryPrimitives.ReadUInt32LittleEndian(source[Crc32COffset..]), Crc32C.Compute(source[..Crc32COffset]));
        if (expected != actual)
            throw new CorruptDataException(device, offsetBytes, $"label: checksum mismatch: expected {expected:x8}, found {actual:x8}");
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[VersionOffset..]) is not Version and var version)
            throw new UnsupportedFormatException(device, $"label version {version}; this program reads version {Version}");
        var label = new ConcatLabel(
            new Guid(source.Slice(SetIdOffset, 16), bigEndian: true),
            BinaryPrimitives.ReadInt32LittleEndian(source[NumberOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[StartOffset..]));
        if (label.Number is < 1 or >= MaxDevices
            || label.StartBytes <= 0
            || label.StartBytes % UnitBytes != 0
            || source[UsedBytes..Crc32COffset].ContainsAnyExcept((byte)0))
        {
            throw new CorruptDataException(device, offsetBytes, $"label: device {label.Number}, which begins at {label.StartBytes}");
        }
        return label;
    }
}
