using Ashlar.Storage;

namespace Ashlar.Scsi;

/// <summary>
/// Copies that are done now, of one initiator, of one unit, or of all units of a node: each takes memory beside that of requests, so there
/// is an end to them.
/// </summary>
public sealed class CopyCount
{
    readonly int most;
    int count;

    /// <summary>Counts those of all units of a node.</summary>
    public CopyCount()
        : this(CopyLimits.MaxCopiesOfNode)
    {
    }

    internal CopyCount(int most) => this.most = most;

    internal bool TryEnter()
    {
        if (Interlocked.Increment(ref count) <= most) return true;
        Leave();
        return false;
    }

    internal void Leave()
    {
        var left = Interlocked.Decrement(ref count);
        Invariant.Require(left >= 0);
    }

    /// <summary>Enters all of them, or none.</summary>
    internal static bool TryEnter(ReadOnlySpan<CopyCount> all)
    {
        for (var i = 0; i < all.Length; i++)
        {
            if (all[i].TryEnter()) continue;
            Leave(all[..i]);
            return false;
        }

        return true;
    }

    internal static void Leave(ReadOnlySpan<CopyCount> all)
    {
        foreach (var each in all) each.Leave();
    }
}
