using System.Buffers.Binary;

namespace Ashlar.Scsi;

/// <summary>The 8 bytes that name a logical unit (SAM-5, 4.7).</summary>
public static class LunAddress
{
    /// <summary>Bytes of an address.</summary>
    public const int SizeBytes = 8;

    const int FirstFlatNumber = 256, MaxNumber = 0x3FFF;

    /// <summary>The unit's number, or -1 where the address is of a form that this target does not use.</summary>
    public static int Read(ReadOnlySpan<byte> source)
    {
        var address = BinaryPrimitives.ReadUInt64BigEndian(source);
        if ((address & 0x0000_FFFF_FFFF_FFFF) != 0) return -1;
        var first = (int)(address >> 48);
        return (first >> 14) switch
        {
            0 when first < FirstFlatNumber => first, // Peripheral device addressing, bus 0.
            1 => first & MaxNumber,                  // Flat space addressing.
            _ => -1,
        };
    }

    /// <summary>Writes the address of a unit: short numbers by peripheral, long ones by flat space addressing.</summary>
    public static void Write(Span<byte> target, int number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, MaxNumber);
        target[..SizeBytes].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)(number < FirstFlatNumber ? number : 0x4000 | number));
    }
}
