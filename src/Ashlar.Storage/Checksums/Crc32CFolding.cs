using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ashlar.Storage;

/// <summary>
/// CRC-32C by multiplying without carries (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction",
/// 2009): 128 bytes a step, about three times as fast as the instruction for the CRC itself.
/// </summary>
/// <remarks>
/// A lane of 128 bits stands for a polynomial, its lowest bit for the highest power. Folding moves a lane over the bits behind it: what
/// lies <c>d</c> bits before a place is, modulo the CRC's polynomial, its first half times x^(d+64) and its second half times x^d. Of
/// each power one is taken off, because the product of two mirrored halves comes out one place too low.
/// </remarks>
static class Crc32CFolding
{
    /// <summary>Shorter spans are not worth a beginning and an end.</summary>
    public const int LeastBytes = StepBytes;

    const int LaneBits = 128, VectorBits = 2 * LaneBits, Vectors = 4;
    const int StepBytes = Vectors * VectorBits / 8;
    const uint Polynomial = 0x82F63B78;

    static readonly Vector256<ulong> OverStep = Vector256.Create(Over(Vectors * VectorBits), Over(Vectors * VectorBits));
    static readonly Vector256<ulong> OverVector = Vector256.Create(Over(VectorBits), Over(VectorBits));
    static readonly Vector128<ulong> OverLane = Over(LaneBits);

    /// <summary>Whether the processor multiplies two lanes at once.</summary>
    public static bool IsSupported => Pclmulqdq.V256.IsSupported;

    /// <summary>Moves a CRC, not inverted, over all whole steps of <paramref name="data"/>, of which there is at least one.</summary>
    /// <returns>The CRC, not inverted, and how many bytes it has moved over.</returns>
    public static (uint Crc, int Bytes) MoveOver(uint crc, ReadOnlySpan<byte> data)
    {
        Invariant.Require(data.Length >= StepBytes);
        ref var position = ref MemoryMarshal.GetReference(data);
        // A CRC that goes on is one that begins with its bits in front of the data.
        var a = Load(ref position, 0) ^ Vector256.Create(crc, 0, 0, 0ul);
        var b = Load(ref position, 1);
        var c = Load(ref position, 2);
        var d = Load(ref position, 3);
        var done = StepBytes;
        for (; data.Length - done >= StepBytes; done += StepBytes)
        {
            position = ref Unsafe.Add(ref position, StepBytes);
            a = Fold(a, OverStep) ^ Load(ref position, 0);
            b = Fold(b, OverStep) ^ Load(ref position, 1);
            c = Fold(c, OverStep) ^ Load(ref position, 2);
            d = Fold(d, OverStep) ^ Load(ref position, 3);
        }

        var last = Fold(Fold(Fold(a, OverVector) ^ b, OverVector) ^ c, OverVector) ^ d;
        var lane = Fold(last.GetLower(), OverLane) ^ last.GetUpper();
        return (BitOperations.Crc32C(BitOperations.Crc32C(0u, lane[0]), lane[1]), done);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<ulong> Fold(Vector256<ulong> lanes, Vector256<ulong> over) =>
        Pclmulqdq.V256.CarrylessMultiply(lanes, over, 0x00) ^ Pclmulqdq.V256.CarrylessMultiply(lanes, over, 0x11);

    static Vector128<ulong> Fold(Vector128<ulong> lane, Vector128<ulong> over) =>
        Pclmulqdq.CarrylessMultiply(lane, over, 0x00) ^ Pclmulqdq.CarrylessMultiply(lane, over, 0x11);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<ulong> Load(ref byte position, int vector) =>
        Unsafe.ReadUnaligned<Vector256<ulong>>(ref Unsafe.Add(ref position, vector * VectorBits / 8));

    static Vector128<ulong> Over(int bits) => Vector128.Create(PowerOfX(bits + 63), PowerOfX(bits - 1));

    /// <summary>x^<paramref name="power"/> modulo the polynomial, mirrored in 64 bits.</summary>
    static ulong PowerOfX(int power)
    {
        var remainder = 1u << 31;
        for (var i = 0; i < power; i++) remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? Polynomial : 0);
        return (ulong)remainder << 32;
    }
}
