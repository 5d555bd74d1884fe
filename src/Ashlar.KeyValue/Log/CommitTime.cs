namespace Ashlar.KeyValue.Log;

/// <summary>When a group of writes was committed, as it is stored: microseconds since 1970 (UTC).</summary>
static class CommitTime
{
    public static long Of(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset ToTime(long microseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
