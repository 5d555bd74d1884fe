namespace Ashlar.KeyValue.Compaction;

/// <summary>What somebody who waits for background work knows of it: which failures are his, and when to give up.</summary>
struct BackgroundWait(BackgroundLane lane)
{
    long doneBefore;
    int retries;

    /// <summary>Failures of earlier attempts are not his.</summary>
    public long SeenAttempts { get; set; } = lane.Attempts;

    /// <summary>Whether nothing was tried again since anything was last done.</summary>
    public readonly bool IsFirstRetry => retries == 1;

    /// <summary>Whether it may be tried again: twice, and anew whenever something was done, which may have made room.</summary>
    public bool MayRetry(long done)
    {
        if (done != doneBefore) (doneBefore, retries) = (done, 0);
        return ++retries <= 2;
    }
}
