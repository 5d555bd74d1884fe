namespace Ashlar.Server;

/// <summary>A volume, or a snapshot of it, that a client has named.</summary>
/// <param name="Pool">Its pool.</param>
/// <param name="Volume">Its name.</param>
/// <param name="Snapshot">The snapshot; null for the volume.</param>
/// <param name="Id">Identity of the volume.</param>
sealed record VolumeAddress(ServedPool Pool, string Volume, string? Snapshot, Guid Id)
{
    /// <summary>What is there under these names; null where there is nothing.</summary>
    public static VolumeAddress? Find(ServedPools pools, string poolName, string volume, string? snapshot)
    {
        if (pools.Find(poolName) is not { } pool) return null;
        if (snapshot is not null)
            return pool.FindSnapshot(volume, snapshot) is { } info ? new(pool, volume, snapshot, info.VolumeId) : null;
        return pool.Find(volume) is { } found ? new(pool, volume, null, found.Id) : null;
    }
}
