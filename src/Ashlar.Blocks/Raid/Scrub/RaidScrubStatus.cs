namespace Ashlar.Blocks.Raid;

/// <summary>How far a scrub has come, and what it has found.</summary>
/// <param name="IsRunning">Whether it goes on.</param>
/// <param name="DoneBytes">Bytes of each member that were looked at.</param>
/// <param name="TotalBytes">Bytes of each member.</param>
/// <param name="Inconsistent">Stripes whose copies differ, or whose parity does not belong to their data.</param>
/// <param name="Unreadable">Chunks that could not be read.</param>
/// <param name="Repaired">Stripes that were made consistent.</param>
/// <param name="Uncertain">Of the inconsistent ones, those that are left as they are because nothing tells what is wrong.</param>
/// <param name="TimeLeft">How long it will take, as it goes now; null where that is not known.</param>
public sealed record RaidScrubStatus(
    bool IsRunning,
    long DoneBytes,
    long TotalBytes,
    long Inconsistent,
    long Unreadable,
    long Repaired,
    long Uncertain,
    TimeSpan? TimeLeft)
{
    /// <summary>Which of the scrubs since the set was opened it is; 0 for none.</summary>
    public long Run { get; init; }

    /// <summary>Whether it came to the end of the set.</summary>
    public bool IsFinished { get; init; }

    /// <summary>What ended it before; null where nothing did.</summary>
    public string? Failure { get; init; }
}
