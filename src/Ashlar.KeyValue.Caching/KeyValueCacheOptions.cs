using Ashlar.KeyValue.Caching.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Caching;

/// <summary>How a cache lies in its store. Sizes are in bytes.</summary>
public sealed class KeyValueCacheOptions
{
    /// <summary>Longest payload that an entry can have.</summary>
    public const int EntryLimitBytes = KeyValueOptions.ValueLimitBytes - EntryHeader.SizeBytes;

    /// <summary>Longest <see cref="KeyPrefix"/>, in UTF-8.</summary>
    public const int KeyPrefixLimitBytes = 64;

    /// <summary>Least <see cref="MaxBytes"/>.</summary>
    public const long MinMaxBytes = 4096;

    /// <summary>
    /// Which store that was registered by <c>AddAshlarKeyValue</c> holds the cache; empty for the default one. Means nothing where a cache
    /// is created over a store by hand.
    /// </summary>
    public string StoreName { get; set; } = "";

    /// <summary>
    /// What the keys of the cache begin with in the store, so that it can hold other data, or other caches, as well: up to
    /// <see cref="KeyPrefixLimitBytes"/> without control characters. Nobody else may write keys that begin so. <c>cache/</c> by default.
    /// </summary>
    public string KeyPrefix { get; set; } = "cache/";

    /// <summary>
    /// Most that the entries of the cache take, keys and the cache's own notes included: beyond it those that expire first are evicted,
    /// and of those that never expire the ones that were written first. Null sets no bound but the disk. At least <see
    /// cref="MinMaxBytes"/>.
    /// </summary>
    /// <remarks>
    /// It is live data that counts. Files take up to <see cref="KeyValueOptions.SpaceAmplification"/> times as much, and what the store
    /// reserves besides. A bound that is set for a cache which had none reads all of its entries once, when the cache is created.
    /// </remarks>
    public long? MaxBytes { get; set; }

    /// <summary>Longest payload of an entry, 1 to <see cref="EntryLimitBytes"/>; it also has to fit into <see cref="MaxBytes"/>.</summary>
    public int MaxEntryBytes { get; set; } = EntryLimitBytes;

    /// <summary>
    /// What an entry has survived when it was set. <see cref="Durability.Relaxed"/> by default: the death of the process, but not a power
    /// cut within the next second (<see cref="KeyValueOptions.RelaxedLossTime"/>). What is cached can be had again, and sets that wait
    /// for the disk would cost more than misses. Take <see cref="Durability.Sync"/> for sessions that must not be lost.
    /// </summary>
    public Durability Durability { get; set; } = Durability.Relaxed;

    /// <summary>The clock, which must be the store's; null is the one that is registered for the store, or the system's.</summary>
    public TimeProvider? TimeProvider { get; set; }

    /// <summary>Checks every value against its bounds.</summary>
    /// <exception cref="ArgumentException">One is beyond them; the parameter is the option.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(StoreName, nameof(StoreName));
        ArgumentNullException.ThrowIfNull(KeyPrefix, nameof(KeyPrefix));
        if (KeyPrefix.Any(char.IsControl) || !CacheKeys.IsText(KeyPrefix) || CacheKeys.LengthOf(KeyPrefix) > KeyPrefixLimitBytes)
        {
            throw new ArgumentException(
                $"It has up to {KeyPrefixLimitBytes} bytes of UTF-8 and no control characters.", nameof(KeyPrefix));
        }

        if (MaxBytes is { } bound) ArgumentOutOfRangeException.ThrowIfLessThan(bound, MinMaxBytes, nameof(MaxBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxEntryBytes, 1, nameof(MaxEntryBytes));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxEntryBytes, EntryLimitBytes, nameof(MaxEntryBytes));
        EnumArgument.RequireDefined(Durability, nameof(Durability));
    }
}
