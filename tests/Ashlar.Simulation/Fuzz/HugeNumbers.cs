namespace Ashlar.Simulation;

/// <summary>Lengths, counts and offsets that nobody means, at the edges where arithmetic goes wrong.</summary>
public static class HugeNumbers
{
    /// <summary>They end with numbers that are negative where somebody takes them for signed.</summary>
    public static IReadOnlyList<ulong> All { get; } =
    [
        (1 << 16) - 1, (1 << 24) - 1, 1 << 25, (1 << 25) + 1, int.MaxValue, 1u << 31, uint.MaxValue, 1UL << 32, long.MaxValue, 1UL << 63,
        ulong.MaxValue - 511, ulong.MaxValue,
    ];

    /// <summary>Those that fit, the largest of all among them.</summary>
    public static IEnumerable<ulong> OfBytes(int width)
    {
        var largest = width == sizeof(ulong) ? ulong.MaxValue : (1UL << (8 * width)) - 1;
        return All.Where(number => number <= largest).Append(largest / 2).Append((largest / 2) + 1).Append(largest).Distinct();
    }

    /// <summary>Writes a number as protocols do, the high byte first.</summary>
    public static void Write(Span<byte> field, ulong number)
    {
        for (var i = field.Length - 1; i >= 0; i--, number >>= 8) field[i] = (byte)number;
    }
}
