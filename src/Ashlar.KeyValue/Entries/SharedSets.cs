using System.Numerics;

namespace Ashlar.KeyValue.Entries;

/// <summary>
/// Sets of the numbers below a limit, immutable: each differs in one number from an earlier one, and shares with it all but a path of a
/// tree (a persistent segment tree). So many sets that have much in common take little more than one of them.
/// </summary>
/// <param name="limit">All numbers are smaller.</param>
/// <param name="changes">So many sets are made at the most.</param>
sealed class SharedSets(int limit, int changes)
{
    /// <summary>The set without numbers.</summary>
    public const int Empty = 0;

    const int WordBits = 64;

    // Levels of nodes above the words, which hold the numbers. The node and the word of number 0 are the empty ones.
    readonly int height = BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)((limit + WordBits - 1) / WordBits)));
    readonly ulong[] words = new ulong[1 + changes];
    readonly (int Low, int High)[] nodes = new (int Low, int High)[1 + NodesOf(limit, changes)];
    int wordCount = 1;
    int nodeCount = 1;

    /// <summary>The set that has a number if another has it not, and otherwise what that one has.</summary>
    public int Toggle(int set, int number) => Toggle(set, number, height);

    /// <summary>The largest number of a set up to one; -1 if there is none.</summary>
    public int LastUpTo(int set, int number) => number < 0 ? -1 : LastUpTo(set, number, height);

    /// <summary>The smallest number of a set from one on; -1 if there is none.</summary>
    public int FirstFrom(int set, int number) => number >= limit ? -1 : FirstFrom(set, number, height);

    static int NodesOf(int limit, int changes)
    {
        var levels = 0;
        for (long reach = WordBits; reach < limit; reach *= 2) levels++;
        return checked(changes * levels);
    }

    static int Half(int level) => WordBits << (level - 1);

    int Toggle(int set, int number, int level)
    {
        if (level == 0)
        {
            var word = words[set] ^ (1UL << number);
            if (word == 0) return Empty;
            words[wordCount] = word;
            return wordCount++;
        }

        var (low, high) = nodes[set];
        if (number < Half(level)) low = Toggle(low, number, level - 1);
        else high = Toggle(high, number - Half(level), level - 1);
        if (low == Empty && high == Empty) return Empty;
        nodes[nodeCount] = (low, high);
        return nodeCount++;
    }

    int LastUpTo(int set, int number, int level)
    {
        if (set == Empty) return -1;
        if (level == 0)
        {
            var upTo = words[set] & (ulong.MaxValue >> (WordBits - 1 - Math.Min(number, WordBits - 1)));
            return upTo == 0 ? -1 : BitOperations.Log2(upTo);
        }

        var half = Half(level);
        if (number >= half && LastUpTo(nodes[set].High, number - half, level - 1) is >= 0 and var found) return half + found;
        return LastUpTo(nodes[set].Low, Math.Min(number, half - 1), level - 1);
    }

    int FirstFrom(int set, int number, int level)
    {
        if (set == Empty) return -1;
        if (level == 0)
        {
            var from = words[set] & (ulong.MaxValue << number);
            return from == 0 ? -1 : BitOperations.TrailingZeroCount(from);
        }

        var half = Half(level);
        if (number < half && FirstFrom(nodes[set].Low, number, level - 1) is >= 0 and var found) return found;
        found = FirstFrom(nodes[set].High, Math.Max(0, number - half), level - 1);
        return found < 0 ? -1 : half + found;
    }
}
