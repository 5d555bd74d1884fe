namespace Ashlar.S3;

/// <summary>What a body may take of the server.</summary>
/// <param name="Clock">What time it is.</param>
/// <param name="Longest">How long it may take to come.</param>
/// <param name="Memory">What all bodies that have to be held share.</param>
sealed record BodyLimits(TimeProvider Clock, TimeSpan Longest, MemoryBudget Memory)
{
    /// <summary>From when on whoever sends a body is asked for the right again at its end.</summary>
    public static readonly TimeSpan ConfirmAfter = TimeSpan.FromSeconds(10);

    public static S3Exception TooSlow(Exception? cause = null) =>
        new(new("RequestTimeout", 400, ""), "The body came too slowly.", cause);
}
