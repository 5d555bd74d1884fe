using Ashlar.Storage;

namespace Ashlar.KeyValue.SortedTable;

/// <summary>
/// What an index names a block by: a key that is not below the block's last one, below the first one of the next block, and as short as
/// that allows. Keys of thousands of bytes differ early, so an index of them is as small as one of short keys.
/// </summary>
static class Separator
{
    /// <summary>The shortest of them that takes a few steps to find; the last key itself where nothing shorter lies between.</summary>
    /// <param name="last">The last key of a block.</param>
    /// <param name="next">The first key of the next block, above it.</param>
    /// <param name="target">Memory of at least the length of <paramref name="last"/>.</param>
    public static ReadOnlySpan<byte> Write(ReadOnlySpan<byte> last, ReadOnlySpan<byte> next, Span<byte> target)
    {
        Invariant.Require(last.SequenceCompareTo(next) < 0);
        var differs = last.CommonPrefixLength(next);
        // What next begins with is below it, if it goes on, and above last, if that ends here or is smaller here.
        if (differs + 1 < last.Length && differs + 1 < next.Length) return Copy(next[..(differs + 1)], target);
        // Otherwise what last begins with, raised in its last byte: at the first byte where that stays below next.
        for (var at = differs; at + 1 < last.Length; at++)
        {
            if (last[at] == byte.MaxValue || (at == differs && last[at] + 1 >= next[at])) continue;
            Copy(last[..(at + 1)], target)[at]++;
            return target[..(at + 1)];
        }

        return Copy(last, target);
    }

    static Span<byte> Copy(ReadOnlySpan<byte> source, Span<byte> target)
    {
        source.CopyTo(target);
        return target[..source.Length];
    }
}
