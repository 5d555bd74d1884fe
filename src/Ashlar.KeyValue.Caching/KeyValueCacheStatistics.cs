namespace Ashlar.KeyValue.Caching;

/// <summary>Counts of a cache since it was created, and its size.</summary>
public sealed record KeyValueCacheStatistics
{
    /// <summary>Gets that found an entry.</summary>
    public long Hits { get; init; }

    /// <summary>Gets that found none, or one that has expired.</summary>
    public long Misses { get; init; }

    /// <summary>Entries that were set.</summary>
    public long Sets { get; init; }

    /// <summary>Entries whose sliding expiry was moved.</summary>
    public long Renewals { get; init; }

    /// <summary>Renewals by gets that the store refused, on a full disk for instance; the gets found their entries all the same.</summary>
    public long FailedRenewals { get; init; }

    /// <summary>Entries that were evicted to stay within <see cref="KeyValueCacheOptions.MaxBytes"/>.</summary>
    public long Evictions { get; init; }

    /// <summary>What entries take, expired ones that were not found yet included; null without a bound, and until it was counted.</summary>
    public long? UsedBytes { get; init; }

    /// <summary>
    /// What kept the bound from being kept the last time; null if nothing did. Where <see cref="UsedBytes"/> stays null because of it, what
    /// is used cannot be counted, and nothing is evicted before the cache is cleared, or created anew.
    /// </summary>
    public string? LastEvictionFailure { get; init; }
}
