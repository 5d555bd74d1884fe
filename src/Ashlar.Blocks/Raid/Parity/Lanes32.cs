using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ashlar.Blocks.Raid;

/// <summary>Thirty-two bytes: AVX2.</summary>
readonly struct Lanes32(Vector256<byte> bytes) : ILanes<Lanes32>
{
    readonly Vector256<byte> bytes = bytes;

    public static bool IsSupported => Avx2.IsSupported;

    public static int Width => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Load(ref readonly byte source) => new(Vector256.LoadUnsafe(in source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes32 value, ref byte target) => value.bytes.StoreUnsafe(ref target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Add(Lanes32 a, Lanes32 b) => new(a.bytes ^ b.bytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Double(Lanes32 value)
    {
        var overflows = Vector256.IsNegative(value.bytes.AsSByte()).AsByte();
        return new((value.bytes + value.bytes) ^ (overflows & Vector256.Create(GaloisField.Reduction)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Multiply(Lanes32 value, Factor factor)
    {
        if (Gfni.V256.IsSupported)
            return new(Gfni.V256.GaloisFieldAffineTransform(value.bytes, Vector256.Create(factor.Matrix).AsByte(), 0));
        var (low, high) = (Vector256.Create(factor.LowNibbles), Vector256.Create(factor.HighNibbles)); // A shuffle stays within 16 bytes.
        return new(Avx2.Shuffle(low, value.bytes & Vector256.Create((byte)0x0F)) ^ Avx2.Shuffle(high, value.bytes >>> 4));
    }
}
