using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ashlar.Blocks.Raid;

/// <summary>Sixty-four bytes: AVX-512.</summary>
readonly struct Lanes64(Vector512<byte> bytes) : ILanes<Lanes64>
{
    readonly Vector512<byte> bytes = bytes;

    public static bool IsSupported => Avx512BW.IsSupported;

    public static int Width => 64;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes64 Load(ref readonly byte source) => new(Vector512.LoadUnsafe(in source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes64 value, ref byte target) => value.bytes.StoreUnsafe(ref target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes64 Add(Lanes64 a, Lanes64 b) => new(a.bytes ^ b.bytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes64 Double(Lanes64 value)
    {
        var overflows = Vector512.IsNegative(value.bytes.AsSByte()).AsByte();
        return new((value.bytes + value.bytes) ^ (overflows & Vector512.Create(GaloisField.Reduction)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes64 Multiply(Lanes64 value, Factor factor)
    {
        if (Gfni.V512.IsSupported)
            return new(Gfni.V512.GaloisFieldAffineTransform(value.bytes, Vector512.Create(factor.Matrix).AsByte(), 0));
        var (low, high) = (Vector512.Create(factor.LowNibbles), Vector512.Create(factor.HighNibbles)); // A shuffle stays within 16 bytes.
        return new(Avx512BW.Shuffle(low, value.bytes & Vector512.Create((byte)0x0F)) ^ Avx512BW.Shuffle(high, value.bytes >>> 4));
    }
}
