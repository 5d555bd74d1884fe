using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// A set of numbers from 0 to a bound, as bits, with levels of summaries above: a bit of a level says whether a word of the level
/// below has any bit set. So the next member after a number is found by reading one word up and one word down per level, however
/// far it is: at most 9 words for 2^30 numbers.
/// </summary>
sealed class BitTree
{
    readonly ulong[][] levels;

    public BitTree(long size)
    {
        var words = new List<ulong[]>();
        for (var bits = Math.Max(size, 1); ; bits = (bits + 63) / 64)
        {
            words.Add(new ulong[(bits + 63) / 64]);
            if (bits <= 64) break;
        }

        levels = [.. words];
    }

    /// <summary>Levels, the numbers themselves included.</summary>
    public int Depth => levels.Length;

    /// <summary>Words that searches have read since the set was made.</summary>
    public long WordsRead { get; private set; }

    /// <summary>64 numbers at once.</summary>
    public ulong Word(long index) => levels[0][index];

    public bool Contains(long number) => (levels[0][number / 64] >> (int)(number % 64) & 1) != 0;

    public void SetWord(long index, ulong word)
    {
        levels[0][index] = word;
        if (word != 0) Add(index, fromLevel: 1);
        else Remove(index, fromLevel: 1);
    }

    public void Add(long number) => Add(number, fromLevel: 0);

    public void Remove(long number) => Remove(number, fromLevel: 0);


    /// <summary>The smallest member that is not below a number; -1 when there is none.</summary>
    public long FindNext(long from)
    {
        // Up until a word has a bit at or after the place, then down to the first bit of each word.
        for (var height = 0; height < levels.Length; height++)
        {
            if (from / 64 >= levels[height].Length) return -1;
            WordsRead++;
            var rest = levels[height][from / 64] & (ulong.MaxValue << (int)(from % 64));
            if (rest != 0) return Descend(height, (from / 64 * 64) + BitOperations.TrailingZeroCount(rest));
            from = (from / 64) + 1;
        }

        return -1;
    }

    void Add(long number, int fromLevel)
    {
        foreach (var level in levels.AsSpan(fromLevel))
        {
            ref var word = ref level[number / 64];
            var wasEmpty = word == 0;
            word |= 1UL << (int)(number % 64);
            if (!wasEmpty) return;
            number /= 64;
        }
    }

    void Remove(long number, int fromLevel)
    {
        foreach (var level in levels.AsSpan(fromLevel))
        {
            ref var word = ref level[number / 64];
            word &= ~(1UL << (int)(number % 64));
            if (word != 0) return;
            number /= 64;
        }
    }

    long Descend(int height, long number)
    {
        while (height-- > 0)
        {
            WordsRead++;
            var word = levels[height][number];
            Invariant.Require(word != 0);
            number = (number * 64) + BitOperations.TrailingZeroCount(word);
        }

        return number;
    }
}
