namespace Ashlar.Volumes;

/// <summary>
/// Whether the writers of a volume do little but wait for markers, so that it pays to mark all of a MiB at its first overwrite: a random
/// writer of small blocks that begins to overwrite a volume after a quiet time. A hint; races cost nothing but time.
/// </summary>
/// <remarks>
/// Marking a MiB means to read and verify it. From the page cache that takes about as long as one flush of the store; from a cold disk much
/// longer than the flushes that it would save. Both are measured as they happen.
/// </remarks>
sealed class MarkerPressure(TimeProvider clock)
{
    const int ManyWaits = 64, FlushesSaved = 4;

    static readonly TimeSpan Window = TimeSpan.FromSeconds(2), Memory = TimeSpan.FromSeconds(30);

    long windowBegan = clock.GetTimestamp();
    int waitsInWindow;
    long? lastHigh;
    double secondsOfWait;
    double secondsOfBlock;

    /// <summary>Whether reading so many blocks is worth the waits that it would save.</summary>
    public bool IsHigh(int blocksToVerify)
    {
        if (clock.GetElapsedTime(windowBegan) > Window)
        {
            windowBegan = clock.GetTimestamp();
            waitsInWindow = 0;
        }

        return waitsInWindow >= ManyWaits && secondsOfBlock * blocksToVerify <= secondsOfWait * FlushesSaved;
    }

    /// <summary>Whether they did, not long ago.</summary>
    public bool WasHigh => lastHigh is { } at && clock.GetElapsedTime(at) <= Memory;

    public long Begin() => clock.GetTimestamp();

    /// <summary>Blocks were verified.</summary>
    public void Verified(long began, int blocks) =>
        secondsOfBlock = Smooth(secondsOfBlock, clock.GetElapsedTime(began).TotalSeconds / blocks);

    /// <summary>A writer has waited for a marker.</summary>
    public void Waited(long began)
    {
        if (++waitsInWindow >= ManyWaits) lastHigh = clock.GetTimestamp();
        secondsOfWait = Smooth(secondsOfWait, clock.GetElapsedTime(began).TotalSeconds);
    }

    static double Smooth(double before, double now) => before + ((now - before) / 8);
}
