namespace Ashlar.Blocks;

/// <summary>Counters of a device since it was opened.</summary>
/// <remarks>
/// Every request counts once: as completed, or as failed if it ended with an error, whether the device refused it (a range beyond its
/// end, a failure that it has latched) or failed in the middle. Two kinds count as neither, for the caller wanted them so: what was
/// given up (<see cref="OperationCanceledException"/>), and what the device does not offer (<see cref="NotSupportedException"/>).
/// </remarks>
/// <param name="Reads">Read requests completed.</param>
/// <param name="Writes">Write and write-zeroes requests completed.</param>
/// <param name="Trims">Trim requests completed.</param>
/// <param name="Flushes">Flushes completed.</param>
/// <param name="Failures">Requests of any kind that failed.</param>
/// <param name="BytesRead">Bytes read.</param>
/// <param name="BytesWritten">Bytes written or zeroed.</param>
public readonly record struct DeviceStatistics(
    long Reads,
    long Writes,
    long Trims,
    long Flushes,
    long Failures,
    long BytesRead,
    long BytesWritten)
{
    /// <summary>The counters of two periods taken together.</summary>
    public static DeviceStatistics operator +(DeviceStatistics left, DeviceStatistics right) => new(
        left.Reads + right.Reads,
        left.Writes + right.Writes,
        left.Trims + right.Trims,
        left.Flushes + right.Flushes,
        left.Failures + right.Failures,
        left.BytesRead + right.BytesRead,
        left.BytesWritten + right.BytesWritten);
}
