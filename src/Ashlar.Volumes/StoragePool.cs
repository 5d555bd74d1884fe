using Ashlar.Blocks;
using Ashlar.KeyValue;

namespace Ashlar.Volumes;

/// <summary>
/// A pool: one block device that holds data, one key-value store that holds the map, and the thin volumes on them.
/// </summary>
public sealed class StoragePool : IAsyncDisposable
{
    /// <summary>Name of the pool: "main".</summary>
    public string Name => throw new NotImplementedException();

    /// <summary>Writes the superblock of a new, empty pool. The device must be blank; the store must hold nothing.</summary>
    public static ValueTask FormatAsync(string name, IBlockDevice device, KeyValueStore metadata, PoolOptions options) =>
        throw new NotImplementedException();

    /// <summary>Opens a pool and recovers it if it was not closed. The pool takes over device and store and closes them.</summary>
    public static ValueTask<StoragePool> OpenAsync(IBlockDevice device, KeyValueStore metadata, PoolOptions options) =>
        throw new NotImplementedException();

    /// <summary>Creates a volume; durable when the call returns.</summary>
    /// <exception cref="VolumeNameException">The name is not valid, or taken.</exception>
    public ValueTask<VolumeInfo> CreateVolumeAsync(string name, VolumeOptions options) => throw new NotImplementedException();

    /// <summary>All volumes, by name.</summary>
    public IReadOnlyList<VolumeInfo> ListVolumes() => throw new NotImplementedException();

    /// <summary>Facts of one volume; null when there is none of that name.</summary>
    public VolumeInfo? FindVolume(string name) => throw new NotImplementedException();

    /// <summary>The device of a volume, one and the same for every caller; null when there is none of that name.</summary>
    public IBlockDevice? OpenVolume(string name) => throw new NotImplementedException();

    /// <summary>Grows a volume, or shrinks it if <paramref name="allowShrink"/> is set: what lies beyond the end is discarded.</summary>
    public ValueTask<VolumeInfo> ResizeVolumeAsync(string name, long sizeBytes, bool allowShrink = false) =>
        throw new NotImplementedException();

    /// <summary>Deletes a volume and gives its space back.</summary>
    public ValueTask DeleteVolumeAsync(string name) => throw new NotImplementedException();

    /// <summary>Space in the pool.</summary>
    public PoolUsage GetUsage() => throw new NotImplementedException();

    /// <summary>Closes volumes, commits, and marks the pool as cleanly closed.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>How a pool works.</summary>
public sealed record PoolOptions
{
    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}

/// <summary>A volume to be created.</summary>
public sealed record VolumeOptions
{
    /// <summary>Size in bytes, a multiple of the block size.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>512 or 4096.</summary>
    public int BlockSizeBytes { get; init; } = 512;
}

/// <summary>Facts of a volume.</summary>
/// <param name="Id">Identity that never changes and is never reused.</param>
/// <param name="Name">Unique within the pool.</param>
/// <param name="SizeBytes">What clients see.</param>
/// <param name="BlockSizeBytes">512 or 4096.</param>
/// <param name="AllocatedBytes">Space of the pool that the volume occupies.</param>
/// <param name="CreatedAt">When it was created.</param>
public sealed record VolumeInfo(
    Guid Id,
    string Name,
    long SizeBytes,
    int BlockSizeBytes,
    long AllocatedBytes,
    DateTimeOffset CreatedAt);

/// <summary>Space in a pool, in bytes.</summary>
/// <param name="CapacityBytes">What the pool can hold.</param>
/// <param name="AllocatedBytes">What volumes occupy.</param>
/// <param name="ProvisionedBytes">Sum of the sizes of the volumes.</param>
public sealed record PoolUsage(long CapacityBytes, long AllocatedBytes, long ProvisionedBytes)
{
    /// <summary>What is free.</summary>
    public long FreeBytes => CapacityBytes - AllocatedBytes;
}

/// <summary>A volume name is not valid, taken, or unknown.</summary>
public sealed class VolumeNameException(string name, string problem)
    : Storage.AshlarException($"volume '{name}': {problem}")
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;
}
