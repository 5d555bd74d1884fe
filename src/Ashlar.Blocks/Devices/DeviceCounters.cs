namespace Ashlar.Blocks.Devices;

/// <summary>The counters behind <see cref="DeviceStatistics"/>.</summary>
sealed class DeviceCounters
{
    long reads;
    long writes;
    long trims;
    long flushes;
    long failures;
    long bytesRead;
    long bytesWritten;

    public void CountRead(long bytes)
    {
        Interlocked.Increment(ref reads);
        Interlocked.Add(ref bytesRead, bytes);
    }

    public void CountWrite(long bytes)
    {
        Interlocked.Increment(ref writes);
        Interlocked.Add(ref bytesWritten, bytes);
    }

    public void CountTrim() => Interlocked.Increment(ref trims);

    public void CountFlush() => Interlocked.Increment(ref flushes);

    /// <summary>
    /// An exception filter that never catches: it counts a failure on its way out. A cancelled request is none.
    /// </summary>
    public bool CountFailure(Exception e)
    {
        if (e is not (OperationCanceledException or NotSupportedException)) Interlocked.Increment(ref failures);
        return false;
    }

    public DeviceStatistics Snapshot() => new(
        Interlocked.Read(ref reads),
        Interlocked.Read(ref writes),
        Interlocked.Read(ref trims),
        Interlocked.Read(ref flushes),
        Interlocked.Read(ref failures),
        Interlocked.Read(ref bytesRead),
        Interlocked.Read(ref bytesWritten));
}
