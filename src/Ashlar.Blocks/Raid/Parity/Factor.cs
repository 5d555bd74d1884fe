using System.Runtime.Intrinsics;

namespace Ashlar.Blocks.Raid;

/// <summary>An element that many bytes are multiplied by, in the forms in which processors do that.</summary>
sealed class Factor
{
    static readonly Factor[] All = [.. Enumerable.Range(0, 256).Select(value => new Factor((byte)value))];

    Factor(byte value)
    {
        Products = [.. Enumerable.Range(0, 256).Select(other => GaloisField.Multiply(value, (byte)other))];
        LowNibbles = Vector128.Create(Products.AsSpan(0, 16));
        HighNibbles = Vector128.Create([.. Enumerable.Range(0, 16).Select(nibble => Products[nibble << 4])]);
        Matrix = CreateMatrix(value);
    }

    /// <summary>The product with each byte.</summary>
    public byte[] Products { get; }

    /// <summary>
    /// The product with each low half of a byte, and with each high half: two look-ups by a shuffle give the whole (Plank, Greenan, Miller,
    /// "Screaming Fast Galois Field Arithmetic", FAST 2013).
    /// </summary>
    public Vector128<byte> LowNibbles { get; }

    /// <summary>As <see cref="LowNibbles"/>.</summary>
    public Vector128<byte> HighNibbles { get; }

    /// <summary>
    /// The product as a linear map of bits, for GF2P8AFFINEQB; GF2P8MULB multiplies in another field. Byte 7 - i says of which bits of
    /// the operand bit i of the result is the sum.
    /// </summary>
    public ulong Matrix { get; }

    public static Factor Of(byte value) => All[value];

    static ulong CreateMatrix(byte value)
    {
        var matrix = 0UL;
        for (var row = 0; row < 8; row++)
        {
            for (var column = 0; column < 8; column++)
            {
                var product = GaloisField.Multiply(value, (byte)(1 << column));
                if ((product >> row & 1) != 0) matrix |= 1UL << (((7 - row) * 8) + column);
            }
        }

        return matrix;
    }
}
