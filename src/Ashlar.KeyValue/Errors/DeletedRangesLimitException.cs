using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// A store has as many deleted ranges to remember as it may; nothing was written. A range is remembered until no table holds anything that
/// it deleted: an open snapshot or transaction keeps that there, and merges need their time for it.
/// </summary>
public sealed class DeletedRangesLimitException(int count, int limit, ulong? heldSequence)
    : AshlarException($"{count} deleted ranges are remembered, and there may be {limit}: " + (heldSequence is { } sequence
        ? $"the oldest snapshot or transaction reads at sequence {sequence} and keeps them; end it, or delete fewer, larger ranges"
        : "merges have not come to them yet; try again later, or delete fewer, larger ranges"))
{
    /// <summary>How many there are.</summary>
    public int Count { get; } = count;

    /// <summary>From how many on more are refused.</summary>
    public int Limit { get; } = limit;

    /// <summary>
    /// The sequence that the oldest snapshot or transaction reads at, if that keeps the newest of those ranges; null if nobody does.
    /// </summary>
    public ulong? HeldSequence { get; } = heldSequence;
}
