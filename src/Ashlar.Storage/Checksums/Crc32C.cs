using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ashlar.Storage;

/// <summary>CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 7143 section 13.1, RFC 3720 appendix B.4).</summary>
public static class Crc32C
{
    /// <summary>Checksum of <paramref name="data"/>; the empty span gives 0.</summary>
    public static uint Compute(ReadOnlySpan<byte> data) => Append(0, data);

    /// <summary>Continues a checksum: <c>Append(Compute(a), b)</c> equals <c>Compute(a + b)</c>.</summary>
    public static uint Append(uint checksum, ReadOnlySpan<byte> data)
    {
        var crc = ~checksum;
        ref var start = ref MemoryMarshal.GetReference(data);
        var offset = 0;
        for (; offset + sizeof(ulong) <= data.Length; offset += sizeof(ulong))
            crc = BitOperations.Crc32C(crc, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, offset)));
        for (; offset < data.Length; offset++)
            crc = BitOperations.Crc32C(crc, Unsafe.Add(ref start, offset));
        return ~crc;
    }
}
