using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ashlar.Storage;

/// <summary>CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 7143 section 13.1, RFC 3720 appendix B.4).</summary>
/// <remarks>
/// The processor's instruction takes one step per cycle but answers after three, so a single chain leaves it idle two thirds
/// of the time. Long spans are therefore cut in three, run side by side and joined: the checksum of <c>a + b</c> is that
/// of <c>a</c>, moved on over as many zero bytes as <c>b</c> has, exclusive-or that of <c>b</c> from zero. Where the processor can,
/// <see cref="Crc32CFolding"/> does it, three times as fast.
/// </remarks>
public static class Crc32C
{
    // Three long stretches and a tail of 16 bytes make 4 KiB, the length that matters most.
    const int LongStretchBytes = 1360, ShortStretchBytes = 168;

    static readonly Crc32CShift LongShift = new(LongStretchBytes);
    static readonly Crc32CShift ShortShift = new(ShortStretchBytes);

    /// <summary>Checksum of <paramref name="data"/>; the empty span gives 0.</summary>
    public static uint Compute(ReadOnlySpan<byte> data) => Append(0, data);

    /// <summary>Continues a checksum: <c>Append(Compute(a), b)</c> equals <c>Compute(a + b)</c>.</summary>
    public static uint Append(uint checksum, ReadOnlySpan<byte> data)
    {
        if (!Crc32CFolding.IsSupported || data.Length < Crc32CFolding.LeastBytes) return AppendInStretches(checksum, data);
        var (crc, done) = Crc32CFolding.MoveOver(~checksum, data);
        return AppendPlainly(~crc, data[done..]);
    }

    /// <summary>By the processor's instruction for the CRC, three chains side by side.</summary>
    internal static uint AppendInStretches(uint checksum, ReadOnlySpan<byte> data)
    {
        if (data.Length < 3 * ShortStretchBytes) return AppendPlainly(checksum, data);

        var crc = ~checksum;
        ref var position = ref MemoryMarshal.GetReference(data);
        var left = data.Length;

        for (; left >= 3 * LongStretchBytes; left -= 3 * LongStretchBytes)
        {
            crc = ThreeStretches(crc, ref position, LongStretchBytes, LongShift);
            position = ref Unsafe.Add(ref position, 3 * LongStretchBytes);
        }

        for (; left >= 3 * ShortStretchBytes; left -= 3 * ShortStretchBytes)
        {
            crc = ThreeStretches(crc, ref position, ShortStretchBytes, ShortShift);
            position = ref Unsafe.Add(ref position, 3 * ShortStretchBytes);
        }

        return ~OneChain(crc, ref position, left);
    }

    /// <summary>One step after the other: the definition that the interleaved form must equal.</summary>
    internal static uint AppendPlainly(uint checksum, ReadOnlySpan<byte> data) =>
        ~OneChain(~checksum, ref MemoryMarshal.GetReference(data), data.Length);

    static uint ThreeStretches(uint first, ref byte start, int stretchBytes, Crc32CShift shift)
    {
        uint second = 0, third = 0;
        for (var offset = 0; offset < stretchBytes; offset += sizeof(ulong))
        {
            first = BitOperations.Crc32C(first, Word(ref start, offset));
            second = BitOperations.Crc32C(second, Word(ref start, offset + stretchBytes));
            third = BitOperations.Crc32C(third, Word(ref start, offset + 2 * stretchBytes));
        }

        return shift.Apply(shift.Apply(first) ^ second) ^ third;
    }

    static uint OneChain(uint crc, ref byte start, int lengthBytes)
    {
        var offset = 0;
        for (; offset + sizeof(ulong) <= lengthBytes; offset += sizeof(ulong))
            crc = BitOperations.Crc32C(crc, Word(ref start, offset));
        for (; offset < lengthBytes; offset++)
            crc = BitOperations.Crc32C(crc, Unsafe.Add(ref start, offset));
        return crc;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Word(ref byte start, int offset) => Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, offset));
}
