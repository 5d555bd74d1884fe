using System.Collections.Concurrent;

namespace Ashlar.Files;

/// <summary>
/// Blocks of which no copy could be read when they were looked after: each is looked at again after a while, and then after twice as long.
/// They are known as long as the program runs. Any thread.
/// </summary>
public sealed class UnreadableBlocks(TimeProvider? clock = null)
{
    /// <summary>When a block is looked at again, and the longest that this may become.</summary>
    public static readonly TimeSpan FirstWait = TimeSpan.FromMinutes(1), LongestWait = TimeSpan.FromHours(1);

    // What is too much is looked at each time.
    const int Bound = 100_000;

    readonly ConcurrentDictionary<CustomerBlock, UnreadableBlock> blocks = new();
    readonly TimeProvider clock = clock ?? TimeProvider.System;

    /// <summary>How many there are.</summary>
    public int Count => blocks.Count;

    /// <summary>Some of them, those that were found first in front.</summary>
    public IReadOnlyList<UnreadableBlock> First(int limit) => [.. blocks.Values.OrderBy(block => block.FoundAt).Take(limit)];

    /// <summary>Whether a block is to be left alone for now.</summary>
    public bool IsWaiting(CustomerBlock block) =>
        blocks.TryGetValue(block, out var found) && clock.GetElapsedTime(found.TriedAt) < found.Wait;

    /// <summary>All are looked at the next time: a node is there again, say, which may have what is missing.</summary>
    public void Retry()
    {
        foreach (var (block, found) in blocks) blocks.TryUpdate(block, found with { Wait = TimeSpan.Zero }, found);
    }

    /// <summary>One is looked at the next time: somebody had the content still, and stored it again.</summary>
    internal void Retry(CustomerBlock block)
    {
        if (blocks.TryGetValue(block, out var found)) blocks.TryUpdate(block, found with { Wait = TimeSpan.Zero }, found);
    }

    /// <summary>What became of a block that was looked after.</summary>
    internal void Record(CustomerBlock block, RepairOutcome outcome)
    {
        if (outcome != RepairOutcome.Unreadable)
        {
            blocks.TryRemove(block, out _);
            return;
        }

        if (!blocks.ContainsKey(block) && blocks.Count >= Bound) return;
        var now = clock.GetTimestamp();
        blocks.AddOrUpdate(
            block,
            static (block, state) => new UnreadableBlock(block, state.Wall, state.Now, FirstWait),
            static (_, found, state) => found with { TriedAt = state.Now, Wait = Longer(found.Wait) },
            (Now: now, Wall: clock.GetUtcNow()));
    }

    static TimeSpan Longer(TimeSpan wait) => wait < FirstWait ? FirstWait : wait * 2 < LongestWait ? wait * 2 : LongestWait;
}

/// <summary>A block of which no copy could be read.</summary>
/// <param name="Block">Which.</param>
/// <param name="FoundAt">When it was first found so.</param>
/// <param name="TriedAt">When it was looked at last, by the clock of the program.</param>
/// <param name="Wait">How long it is left alone since.</param>
public sealed record UnreadableBlock(CustomerBlock Block, DateTimeOffset FoundAt, long TriedAt, TimeSpan Wait);
