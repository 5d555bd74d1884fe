using System.Numerics;

namespace Ashlar.KeyValue.Blocks;

/// <summary>Between which values a field of a block's entries lies: what is written is how far each is from the least.</summary>
struct FieldRange()
{
    ulong least = ulong.MaxValue;
    ulong most;

    public readonly bool IsSingle => most <= least;

    public readonly ulong Base => most < least ? 0 : least;

    /// <summary>Bytes that each difference takes.</summary>
    public readonly int Width => IsSingle ? 0 : WidthOf(most - least);

    public static int WidthOf(ulong value) => value == 0 ? 0 : (BitOperations.Log2(value) / 8) + 1;

    /// <summary>Widens the range to a value; false if that was in it.</summary>
    public bool Include(ulong value)
    {
        if (value >= least && value <= most) return false;
        least = Math.Min(least, value);
        most = Math.Max(most, value);
        return true;
    }
}
