using System.Runtime.CompilerServices;

namespace Ashlar.Blocks.Raid;

/// <summary>Eight bytes in a general register: any processor.</summary>
readonly struct Lanes8(ulong bytes) : ILanes<Lanes8>
{
    const ulong Ones = 0x0101_0101_0101_0101, LowBits = 0x7F7F_7F7F_7F7F_7F7F;

    readonly ulong bytes = bytes;

    public static bool IsSupported => true;

    public static int Width => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Load(ref readonly byte source) => new(Unsafe.ReadUnaligned<ulong>(in source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes8 value, ref byte target) => Unsafe.WriteUnaligned(ref target, value.bytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Add(Lanes8 a, Lanes8 b) => new(a.bytes ^ b.bytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Double(Lanes8 value) =>
        new(((value.bytes & LowBits) << 1) ^ ((value.bytes >> 7 & Ones) * GaloisField.Reduction));

    public static Lanes8 Multiply(Lanes8 value, Factor factor)
    {
        var products = factor.Products;
        var result = 0UL;
        for (var shift = 0; shift < 64; shift += 8) result |= (ulong)products[(byte)(value.bytes >> shift)] << shift;
        return new(result);
    }
}
