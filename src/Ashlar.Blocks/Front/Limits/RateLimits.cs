namespace Ashlar.Blocks;

/// <summary>What all clients of a volume together may ask of it in a second; null for as much as it can do.</summary>
/// <param name="Iops">Requests: reads, writes, zeroing and trims.</param>
/// <param name="BytesPerSecond">Bytes read and written. Zeroing and trims move none.</param>
public sealed record RateLimits(long? Iops = null, long? BytesPerSecond = null)
{
    /// <summary>No limits.</summary>
    public static RateLimits None { get; } = new();

    /// <inheritdoc cref="RateLimits" path="/param[@name='Iops']"/>
    public long? Iops { get; } = Checked(Iops);

    /// <inheritdoc cref="RateLimits" path="/param[@name='BytesPerSecond']"/>
    public long? BytesPerSecond { get; } = Checked(BytesPerSecond);

    /// <summary>Whether nothing is limited.</summary>
    public bool IsNone => this is { Iops: null, BytesPerSecond: null };

    static long? Checked(long? perSecond) => perSecond is null or >= 1
        ? perSecond
        : throw new ArgumentOutOfRangeException(nameof(perSecond), perSecond, "A limit is at least 1 a second.");
}
