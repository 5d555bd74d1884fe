namespace Ashlar.Files;

/// <summary>Times in rows: microseconds since 1970, UTC.</summary>
static class RowTime
{
    public static long ToMicroseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset FromMicroseconds(long value) => DateTimeOffset.UnixEpoch + TimeSpan.FromMicroseconds(value);

    /// <summary>The time as a row can hold it.</summary>
    public static DateTimeOffset Round(DateTimeOffset time) => FromMicroseconds(ToMicroseconds(time));
}
