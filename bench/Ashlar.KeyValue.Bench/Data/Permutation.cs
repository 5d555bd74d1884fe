namespace Ashlar.KeyValue.Bench;

/// <summary>
/// Every number below a count once, in an order that looks random: a Feistel network, walked until it falls into the range.
/// Takes no memory, where a shuffled list of 10^8 numbers would hide what the store itself needs.
/// </summary>
sealed class Permutation(ulong count, ulong seed)
{
    readonly int halfBits = Math.Max(1, (64 - System.Numerics.BitOperations.LeadingZeroCount(Math.Max(count, 2) - 1) + 1) / 2);

    public ulong At(ulong position)
    {
        do position = Scramble(position);
        while (position >= count);
        return position;
    }

    ulong Scramble(ulong value)
    {
        var mask = (1UL << halfBits) - 1;
        var (left, right) = (value >> halfBits, value & mask);
        for (var round = 1UL; round <= 4; round++)
            (left, right) = (right, left ^ (Mix(right + (round * 0x9E37_79B9_7F4A_7C15) + seed) & mask));
        return (left << halfBits) | right;
    }

    static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58_476D_1CE4_E5B9;
        value = (value ^ (value >> 27)) * 0x94D0_49BB_1331_11EB;
        return value ^ (value >> 31);
    }
}
