using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Nvme;

/// <summary>Which parts of PDUs carry a CRC-32C (NVMe/TCP Transport 1.0, 3.3.1).</summary>
readonly record struct Digests(bool Header, bool Data)
{
    const byte HeaderBit = 1, DataBit = 2;

    public static Digests FromByte(byte value) => new((value & HeaderBit) != 0, (value & DataBit) != 0);

    public byte ToByte() => (byte)((Header ? HeaderBit : 0) | (Data ? DataBit : 0));

    /// <summary>Puts the digest of a header behind it.</summary>
    /// <returns>Length of both; of the header where there is none.</returns>
    public int SealHeader(Span<byte> target, int headerBytes)
    {
        if (!Header) return headerBytes;
        Write(target[headerBytes..], Crc32C.Compute(target[..headerBytes]));
        return headerBytes + PduHeader.DigestBytes;
    }

    public static void Write(Span<byte> target, uint checksum) => BinaryPrimitives.WriteUInt32LittleEndian(target, checksum);

    public static bool Matches(ReadOnlySpan<byte> digest, uint checksum) => BinaryPrimitives.ReadUInt32LittleEndian(digest) == checksum;
}
