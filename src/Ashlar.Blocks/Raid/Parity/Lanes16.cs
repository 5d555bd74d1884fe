using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ashlar.Blocks.Raid;

/// <summary>Sixteen bytes: SSE and AdvSimd.</summary>
readonly struct Lanes16(Vector128<byte> bytes) : ILanes<Lanes16>
{
    readonly Vector128<byte> bytes = bytes;

    public static bool IsSupported => Vector128.IsHardwareAccelerated;

    public static int Width => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Load(ref readonly byte source) => new(Vector128.LoadUnsafe(in source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes16 value, ref byte target) => value.bytes.StoreUnsafe(ref target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Add(Lanes16 a, Lanes16 b) => new(a.bytes ^ b.bytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Double(Lanes16 value)
    {
        var overflows = Vector128.IsNegative(value.bytes.AsSByte()).AsByte();
        return new((value.bytes + value.bytes) ^ (overflows & Vector128.Create(GaloisField.Reduction)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Multiply(Lanes16 value, Factor factor)
    {
        if (Gfni.IsSupported)
            return new(Gfni.GaloisFieldAffineTransform(value.bytes, Vector128.Create(factor.Matrix).AsByte(), 0));
        var low = Vector128.Shuffle(factor.LowNibbles, value.bytes & Vector128.Create((byte)0x0F));
        return new(low ^ Vector128.Shuffle(factor.HighNibbles, value.bytes >>> 4));
    }
}
