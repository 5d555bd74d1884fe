using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;

namespace Ashlar.KeyValue.Commit;

/// <summary>What a leader found about the conditions of a write.</summary>
enum CheckOutcome
{
    /// <summary>Nobody has looked.</summary>
    None = 0,

    /// <summary>All hold: the write takes effect.</summary>
    Holds,

    /// <summary>One does not hold. Nothing is written.</summary>
    Fails,

    /// <summary>Memory does not reach back to where they were known to hold. Nothing is written; the caller looks, and tries
    /// again.</summary>
    Stale,
}

/// <summary>
/// The conditions of a pending write. The caller, who may wait for the disk, finds that they hold as of a sequence; the leader finds, from
/// memory alone, that nothing behind it changes that (<see cref="ConditionChecker"/>).
/// </summary>
/// <param name="keys">Keys and what they hold.</param>
/// <param name="ranges">Ranges that nobody may have written to since they were read.</param>
/// <param name="heldAt">The sequence as of which all of them hold.</param>
/// <param name="firstExpiry">Of what was seen in the ranges: none of it may have expired.</param>
sealed class WriteCheck(WriteCondition[] keys, KeyRange[] ranges, ulong heldAt, FirstExpiry firstExpiry = default)
{
    public WriteCondition[] Keys => keys;

    public KeyRange[] Ranges => ranges;

    public FirstExpiry FirstExpiry => firstExpiry;

    public bool HasConditions => keys.Length + ranges.Length > 0;

    /// <summary>Set by the caller before the write is queued.</summary>
    public ulong HeldAt { get; set; } = heldAt;

    /// <summary>Set by the leader, read once the group is done.</summary>
    public CheckOutcome Outcome { get; set; }

    /// <summary>How often it was stale.</summary>
    public int StaleLooks { get; set; }

    /// <summary>The key that was written or has expired, where one does not hold.</summary>
    public byte[]? FailedKey { get; set; }

    public CheckOutcome Fail(ReadOnlySpan<byte> key)
    {
        FailedKey = key.ToArray();
        return CheckOutcome.Fails;
    }
}
