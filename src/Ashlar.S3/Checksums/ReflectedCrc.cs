namespace Ashlar.S3;

/// <summary>A cyclic redundancy check that takes the lowest bit first, of up to 64 bits.</summary>
sealed class ReflectedCrc
{
    const int Slices = 8;

    readonly ulong[] tables = new ulong[Slices * 256];
    readonly ulong polynomial;
    readonly int bits;

    ReflectedCrc(ulong polynomial, int bits)
    {
        (this.polynomial, this.bits) = (polynomial, bits);
        for (var value = 0u; value < 256; value++)
        {
            ulong state = value;
            for (var bit = 0; bit < 8; bit++) state = (state & 1) != 0 ? (state >> 1) ^ polynomial : state >> 1;
            tables[value] = state;
        }

        for (var i = 256; i < tables.Length; i++) tables[i] = (tables[i - 256] >> 8) ^ tables[(byte)tables[i - 256]];
    }

    /// <summary>CRC-32, as zip has it.</summary>
    public static ReflectedCrc Crc32 { get; } = new(0xEDB88320, 32);

    /// <summary>CRC-32C, after Castagnoli.</summary>
    public static ReflectedCrc Crc32C { get; } = new(0x82F63B78, 32);

    /// <summary>CRC-64 of NVM Express.</summary>
    public static ReflectedCrc Crc64Nvme { get; } = new(0x9A6C9329AC4BC9B5, 64);

    ulong Mask => bits == 64 ? ulong.MaxValue : (1UL << bits) - 1;

    /// <summary>The checksum of what had one, and of what follows. Begins with 0.</summary>
    public ulong Append(ulong checksum, ReadOnlySpan<byte> content)
    {
        var state = ~checksum & Mask;
        while (content.Length >= Slices)
        {
            var word = state ^ System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(content);
            state = tables[(7 * 256) + (byte)word]
                ^ tables[(6 * 256) + (byte)(word >> 8)]
                ^ tables[(5 * 256) + (byte)(word >> 16)]
                ^ tables[(4 * 256) + (byte)(word >> 24)]
                ^ tables[(3 * 256) + (byte)(word >> 32)]
                ^ tables[(2 * 256) + (byte)(word >> 40)]
                ^ tables[256 + (byte)(word >> 48)]
                ^ tables[(int)(word >> 56)];
            content = content[Slices..];
        }

        foreach (var one in content) state = (state >> 8) ^ tables[(byte)(state ^ one)];
        return ~state & Mask;
    }

    /// <summary>The checksum of two pieces, one behind the other, of what each has by itself.</summary>
    public ulong Combine(ulong first, ulong second, long secondLength)
    {
        // The checksum of the first is moved over as many zero bytes as the second has: a multiplication by x^(8n).
        var moved = first;
        var power = XToThe8();
        for (var left = (ulong)secondLength; left > 0; left >>= 1)
        {
            if ((left & 1) != 0) moved = Multiply(moved, power);
            power = Multiply(power, power);
        }

        return moved ^ second;
    }

    // In this order of bits the highest stands for 1, the next for x.
    ulong XToThe8() => 1UL << (bits - 1 - 8);

    ulong Multiply(ulong left, ulong right)
    {
        var product = 0UL;
        for (var bit = bits - 1; bit >= 0; bit--)
        {
            if (((left >> bit) & 1) != 0) product ^= right;
            right = (right & 1) != 0 ? (right >> 1) ^ polynomial : right >> 1;
        }

        return product;
    }
}
