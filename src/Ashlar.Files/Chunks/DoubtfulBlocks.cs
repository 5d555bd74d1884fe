using System.Collections.Concurrent;

namespace Ashlar.Files;

/// <summary>
/// Blocks of which a copy was found to be missing or not what it should be, until all their copies were verified: of these nobody believes
/// a trailer. They are known as long as the program runs; after that whoever reads or scrubs them finds them again. Any thread.
/// </summary>
sealed class DoubtfulBlocks
{
    // What is too much is found by the scrub.
    const int Bound = 100_000;

    readonly ConcurrentDictionary<CustomerBlock, long> blocks = new();
    long last;

    public int Count => blocks.Count;

    /// <summary>All of them, as of this moment.</summary>
    public IEnumerable<CustomerBlock> All => blocks.Keys;

    public bool Contains(CustomerBlock block) => blocks.ContainsKey(block);

    /// <returns>What <see cref="Settle"/> takes; null if there are too many.</returns>
    public long? Add(CustomerBlock block) => blocks.ContainsKey(block) || blocks.Count < Bound
        ? blocks[block] = Interlocked.Increment(ref last)
        : null;

    /// <summary>What the doubt was before somebody looks; null for none.</summary>
    public long? Find(CustomerBlock block) => blocks.TryGetValue(block, out var doubt) ? doubt : null;

    /// <summary>All copies were verified. What was found since somebody began to look stays.</summary>
    public void Settle(CustomerBlock block, long? doubt)
    {
        if (doubt is { } known) blocks.TryRemove(KeyValuePair.Create(block, known));
    }
}
