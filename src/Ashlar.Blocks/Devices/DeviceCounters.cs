using System.Diagnostics;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

/// <summary>
/// The counters behind <see cref="DeviceStatistics"/>, for whoever implements <see cref="IBlockDevice"/>: a file, a volume, a device
/// made of devices. Any thread may count.
/// </summary>
public sealed class DeviceCounters
{
    long reads;
    long writes;
    long trims;
    long flushes;
    long failures;
    long bytesRead;
    long bytesWritten;

    /// <summary>Counts a read of so many bytes.</summary>
    public void CountRead(long bytes)
    {
        Interlocked.Increment(ref reads);
        Interlocked.Add(ref bytesRead, bytes);
    }

    /// <summary>Counts a write, or a write of zeros, of so many bytes.</summary>
    public void CountWrite(long bytes)
    {
        Interlocked.Increment(ref writes);
        Interlocked.Add(ref bytesWritten, bytes);
    }

    /// <summary>Counts a read when it has ended, or its failure. Allocates nothing where it has ended already.</summary>
    /// <param name="pending">The read.</param>
    /// <param name="bytes">How many bytes it reads.</param>
    public ValueTask CountReadAsync(ValueTask pending, long bytes)
    {
        if (!pending.IsCompletedSuccessfully) return CountEndAsync(pending, bytes, isWrite: false);
        CountRead(bytes);
        return pending;
    }

    /// <summary>The same of a write, or a write of zeros.</summary>
    /// <param name="pending">The write.</param>
    /// <param name="bytes">How many bytes it writes.</param>
    public ValueTask CountWriteAsync(ValueTask pending, long bytes)
    {
        if (!pending.IsCompletedSuccessfully) return CountEndAsync(pending, bytes, isWrite: true);
        CountWrite(bytes);
        return pending;
    }

    /// <summary>Counts a discard.</summary>
    public void CountTrim() => Interlocked.Increment(ref trims);

    /// <summary>Counts a flush.</summary>
    public void CountFlush() => Interlocked.Increment(ref flushes);

    /// <summary>
    /// An exception filter that never catches: it counts a failure on its way out, where it is one by the rule of
    /// <see cref="DeviceStatistics"/>.
    /// </summary>
    /// <returns>False.</returns>
    public bool CountFailure(Exception e)
    {
        if (e is not (OperationCanceledException or NotSupportedException)) Interlocked.Increment(ref failures);
        return false;
    }

    /// <summary>
    /// What was counted so far. Requests go on meanwhile: each number is exact, but they need not be of the same moment.
    /// </summary>
    public DeviceStatistics Snapshot() => new(
        Interlocked.Read(ref reads),
        Interlocked.Read(ref writes),
        Interlocked.Read(ref trims),
        Interlocked.Read(ref flushes),
        Interlocked.Read(ref failures),
        Interlocked.Read(ref bytesRead),
        Interlocked.Read(ref bytesWritten));

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask CountEndAsync(ValueTask pending, long bytes, bool isWrite)
    {
        try
        {
            await pending.ConfigureAwait(false);
        }
        catch (Exception e) when (CountFailure(e))
        {
            throw new UnreachableException();
        }

        if (isWrite) CountWrite(bytes);
        else CountRead(bytes);
    }
}
