using System.Numerics;

namespace Ashlar.Blocks.Devices;

/// <summary>The states of all blocks of a device, two bits each. Safe for concurrent callers, without a lock.</summary>
/// <remarks>
/// Words are grouped in pages, the unit in which a persistent device stores them. A change marks its page only after
/// the word has changed, and whoever stores pages takes the mark before it copies the words: no change is ever missed.
/// </remarks>
sealed class BlockStateMap
{
    public const int BlocksPerWord = 32;
    public const int WordsPerPage = 62;
    public const int BlocksPerPage = BlocksPerWord * WordsPerPage;

    const ulong LowBits = 0x5555_5555_5555_5555; // The lower bit of each pair.

    readonly ulong[] words;
    readonly int[] changedPages;

    public BlockStateMap(long blockCount)
    {
        BlockCount = blockCount;
        PageCount = PagesFor(blockCount);
        words = new ulong[checked(PageCount * WordsPerPage)];
        changedPages = new int[PageCount];
    }

    public long BlockCount { get; }

    public int PageCount { get; }

    public static int PagesFor(long blockCount) => checked((int)((blockCount + BlocksPerPage - 1) / BlocksPerPage));

    public BlockState this[long block] => (BlockState)((WordOf(block) >> ShiftOf(block)) & 3);

    /// <summary>How many blocks, of at most <paramref name="maxCount"/>, are in the state of the first one.</summary>
    public long RunFrom(long block, long maxCount, out BlockState state)
    {
        state = this[block];
        var pattern = (ulong)state * LowBits;
        long run = 0;
        while (run < maxCount)
        {
            var shift = ShiftOf(block + run);
            var differing = (WordOf(block + run) ^ pattern) >> shift;
            var equal = Math.Min(BitOperations.TrailingZeroCount(differing) / 2, BlocksPerWord - shift / 2);
            run += equal;
            if (equal < BlocksPerWord - shift / 2) break;
        }
        return Math.Min(run, maxCount);
    }

    /// <summary>The first bad block of a range, or -1.</summary>
    public long FindBad(long block, long count)
    {
        for (var end = block + count; block < end;)
        {
            var inWord = Math.Min(BlocksPerWord - block % BlocksPerWord, end - block);
            var word = WordOf(block);
            var bad = word & (word >> 1) & LanesOf(block, inWord);
            if (bad != 0) return block / BlocksPerWord * BlocksPerWord + BitOperations.TrailingZeroCount(bad) / 2;
            block += inWord;
        }
        return -1;
    }

    /// <summary>Blocks were written. A bad one stays bad.</summary>
    public void MarkUsed(long block, long count) => Change(block, count, static (word, lanes) =>
    {
        lanes &= ~Bad(word);
        return (word & ~(lanes * 3)) | lanes;
    });

    /// <summary>Blocks are no longer needed. What was never written stays free, a bad block stays bad.</summary>
    public void MarkTrimmed(long block, long count) => Change(block, count, static (word, lanes) =>
    {
        var used = word & ~(word >> 1) & lanes;
        return (word & ~used) | (used << 1);
    });

    /// <summary>Blocks have gone bad.</summary>
    public void MarkBad(long block, long count) => Change(block, count, static (word, lanes) => word | lanes * 3);

    /// <summary>Bad blocks have been replaced by blank ones; others stay as they are.</summary>
    public void Replace(long block, long count) =>
        Change(block, count, static (word, lanes) => word & ~((Bad(word) & lanes) * 3));

    public BlockStateCounts Count()
    {
        long used = 0, trimmed = 0, bad = 0;
        foreach (ref var slot in words.AsSpan())
        {
            var word = Volatile.Read(ref slot);
            used += BitOperations.PopCount(word & ~(word >> 1) & LowBits);
            trimmed += BitOperations.PopCount(~word & (word >> 1) & LowBits);
            bad += BitOperations.PopCount(Bad(word));
        }
        return new BlockStateCounts(BlockCount - used - trimmed - bad, used, trimmed, bad);
    }

    /// <summary>The words of a page, live.</summary>
    public Span<ulong> Page(int page) => words.AsSpan(page * WordsPerPage, WordsPerPage);

    /// <summary>Whether a page has changed since its mark was last taken; takes the mark.</summary>
    public bool TakeChanged(int page) =>
        Volatile.Read(ref changedPages[page]) != 0 && Interlocked.Exchange(ref changedPages[page], 0) != 0;

    void Change(long block, long count, Func<ulong, ulong, ulong> change)
    {
        for (var end = block + count; block < end;)
        {
            var inWord = Math.Min(BlocksPerWord - block % BlocksPerWord, end - block);
            var index = block / BlocksPerWord;
            var lanes = LanesOf(block, inWord);
            var seen = Volatile.Read(ref words[index]);
            while (change(seen, lanes) is var changed && changed != seen)
            {
                var before = Interlocked.CompareExchange(ref words[index], changed, seen);
                if (before == seen)
                {
                    Volatile.Write(ref changedPages[index / WordsPerPage], 1);
                    break;
                }
                seen = before;
            }
            block += inWord;
        }
    }

    ulong WordOf(long block) => Volatile.Read(ref words[block / BlocksPerWord]);

    static int ShiftOf(long block) => (int)(block % BlocksPerWord) * 2;

    // The lower bit of each pair of blocks within one word.
    static ulong LanesOf(long block, long count) =>
        (count == BlocksPerWord ? ulong.MaxValue : (1UL << (int)count * 2) - 1) << ShiftOf(block) & LowBits;

    static ulong Bad(ulong word) => word & (word >> 1) & LowBits;
}
