namespace Ashlar.Blocks;

/// <summary>Counters of a device since it was opened.</summary>
/// <param name="Reads">Read requests completed.</param>
/// <param name="Writes">Write and write-zeroes requests completed.</param>
/// <param name="Trims">Trim requests completed.</param>
/// <param name="Flushes">Flushes completed.</param>
/// <param name="Failures">Requests that failed.</param>
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
