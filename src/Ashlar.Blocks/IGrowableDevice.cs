namespace Ashlar.Blocks;

/// <summary>A device that can be made longer while it is in use.</summary>
public interface IGrowableDevice : IBlockDevice
{
    /// <summary>
    /// Makes sure that the device has at least so many blocks, durably when the call returns. New blocks are at the end and read as
    /// zeros; the others, and requests under way, are not touched.
    /// </summary>
    /// <exception cref="DeviceFullException">What lies below cannot be that long; the device is as it was.</exception>
    /// <exception cref="NotSupportedException">What lies below cannot grow.</exception>
    ValueTask GrowAsync(long blockCount, CancellationToken cancellationToken = default);
}
