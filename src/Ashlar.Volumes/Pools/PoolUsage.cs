namespace Ashlar.Volumes;

/// <summary>Space in a pool, in bytes.</summary>
/// <param name="CapacityBytes">What the pool can hold; its own superblocks are not counted.</param>
/// <param name="AllocatedBytes">What volumes occupy.</param>
/// <param name="ProvisionedBytes">Sum of the sizes of the volumes.</param>
public sealed record PoolUsage(long CapacityBytes, long AllocatedBytes, long ProvisionedBytes)
{
    /// <summary>
    /// What is free below the pool, for whoever takes it first; null when the device has all of its space, or does not tell.
    /// </summary>
    public long? FreeSpaceBelowBytes { get; init; }

    /// <summary>What volumes have let go of and the space below has not been given back yet.</summary>
    public long ReclaimingBytes { get; init; }

    /// <summary>What volumes have let go of and the space below holds all the same, because it could not be given back.</summary>
    public long UnpunchedBytes { get; init; }

    /// <summary>What of the allocated space volumes in the trash hold: it is taken, the oldest there first, when space is needed.</summary>
    public long TrashBytes { get; init; }

    /// <summary>What of the capacity no volume occupies, whether the space below has it or not.</summary>
    public long UnallocatedBytes => CapacityBytes - AllocatedBytes;

    /// <summary>
    /// What can still be written: what is free, and what the trash would give. Some of it may only be usable after the next commit.
    /// </summary>
    public long FreeBytes => Math.Min(UnallocatedBytes, FreeSpaceBelowBytes + UnpunchedBytes ?? long.MaxValue) + TrashBytes;

    /// <summary>
    /// Whether the pool can take more than the space below has: then writes to thin volumes may fail although the pool is not full.
    /// </summary>
    public bool IsLargerThanSpaceBelow =>
        FreeSpaceBelowBytes is { } below && below < UnallocatedBytes - ReclaimingBytes - UnpunchedBytes;

    /// <summary>Provisioned by capacity: above 1 the volumes could grow beyond the pool.</summary>
    public double OvercommitRatio => CapacityBytes == 0 ? 0 : (double)ProvisionedBytes / CapacityBytes;
}
