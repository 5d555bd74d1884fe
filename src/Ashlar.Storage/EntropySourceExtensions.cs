using System.Buffers.Binary;

namespace Ashlar.Storage;

/// <summary>Values made of raw randomness.</summary>
public static class EntropySourceExtensions
{
    /// <summary>A uniformly distributed 64-bit number.</summary>
    public static ulong NextUInt64(this IEntropySource entropy)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        entropy.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    /// <summary>A version 4 UUID (RFC 9562, section 5.4).</summary>
    public static Guid NextGuid(this IEntropySource entropy)
    {
        Span<byte> bytes = stackalloc byte[16];
        entropy.Fill(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
