namespace Ashlar.Volumes;

/// <summary>Space in a pool, in bytes.</summary>
/// <param name="CapacityBytes">What the pool can hold; its own superblocks are not counted.</param>
/// <param name="AllocatedBytes">What volumes occupy.</param>
/// <param name="ProvisionedBytes">Sum of the sizes of the volumes.</param>
public sealed record PoolUsage(long CapacityBytes, long AllocatedBytes, long ProvisionedBytes)
{
    /// <summary>What is free. Some of it may only be usable after the next commit.</summary>
    public long FreeBytes => CapacityBytes - AllocatedBytes;

    /// <summary>Provisioned by capacity: above 1 the volumes could grow beyond the pool.</summary>
    public double OvercommitRatio => CapacityBytes == 0 ? 0 : (double)ProvisionedBytes / CapacityBytes;
}
