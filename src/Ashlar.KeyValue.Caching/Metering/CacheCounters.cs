namespace Ashlar.KeyValue.Caching.Metering;

/// <summary>Counts what the cache does; read by statistics and by the meter.</summary>
sealed class CacheCounters
{
    long hits, misses, sets, renewals, failedRenewals;

    public long Hits => Interlocked.Read(ref hits);

    public long Misses => Interlocked.Read(ref misses);

    public long Sets => Interlocked.Read(ref sets);

    public long Renewals => Interlocked.Read(ref renewals);

    public long FailedRenewals => Interlocked.Read(ref failedRenewals);

    public void CountHit() => Interlocked.Increment(ref hits);

    public void CountMiss() => Interlocked.Increment(ref misses);

    public void CountSet() => Interlocked.Increment(ref sets);

    public void CountRenewal() => Interlocked.Increment(ref renewals);

    public void CountFailedRenewal() => Interlocked.Increment(ref failedRenewals);
}
