namespace Ashlar.KeyValue.Compaction;

/// <summary>What somebody who waits for background work knows of it: which failures are his, and when to give up.</summary>
struct BackgroundWait(BackgroundLane lane)
{
    long doneBefore;
    int retries;

    /// <summary>Failures of earlier attempts are not his.</summary>
    public long SeenAttempts { get; set; } = lane.Attempts;

    /// <summary>
    /// Whether this is the last time. Before, the other kind of work is what is tried again if it met a full disk, too: it may hold what
    /// this one needs.
    /// </summary>
    public readonly bool IsLast => retries == 2 + FreedSpace.Waits;

    /// <summary>What to wait for before: space that was freed may be late.</summary>
    public readonly TimeSpan Pause => retries > 1 && !IsLast ? FreedSpace.Wait(retries - 2) : TimeSpan.Zero;

    /// <summary>Whether anything may be tried again; anew whenever something was done, which may have made room.</summary>
    public bool MayRetry(long done)
    {
        if (done != doneBefore) (doneBefore, retries) = (done, 0);
        return ++retries <= 2 + FreedSpace.Waits;
    }
}
