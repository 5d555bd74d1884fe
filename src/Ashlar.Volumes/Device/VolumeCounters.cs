using Ashlar.Blocks;

namespace Ashlar.Volumes;

/// <summary>Counts the requests of a volume.</summary>
sealed class VolumeCounters
{
    long reads, writes, trims, flushes, failures, bytesRead, bytesWritten;

    public void HasRead(long bytes)
    {
        Interlocked.Increment(ref reads);
        Interlocked.Add(ref bytesRead, bytes);
    }

    public void HasWritten(long bytes)
    {
        Interlocked.Increment(ref writes);
        Interlocked.Add(ref bytesWritten, bytes);
    }

    public void HasTrimmed() => Interlocked.Increment(ref trims);

    public void Flushed() => Interlocked.Increment(ref flushes);

    public void Failed() => Interlocked.Increment(ref failures);

    public DeviceStatistics Read() => new(
        Interlocked.Read(ref reads),
        Interlocked.Read(ref writes),
        Interlocked.Read(ref trims),
        Interlocked.Read(ref flushes),
        Interlocked.Read(ref failures),
        Interlocked.Read(ref bytesRead),
        Interlocked.Read(ref bytesWritten));
}
