using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks;

// What reads, decides and writes while nobody else changes the blocks; and the question which blocks hold data.
public sealed partial class ClientSession
{
    /// <summary>
    /// Takes whole blocks for this client alone, in order to change them: see <see cref="BlockDriver.HoldAsync"/>. Counts as
    /// one request under way until they are given back, and before the limits of the volume as one write of the range.
    /// </summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<HeldRange> HoldAsync(long offsetBytes, long lengthBytes, CancellationToken cancellationToken = default)
    {
        if (Volume.Limiter is { } limiter && MustWait(limiter, DriverOperation.Write, lengthBytes))
            await PassAsync(limiter, DriverOperation.Write, lengthBytes, cancellationToken).ConfigureAwait(false);
        await AdmitAsync(DriverOperation.Write, offsetBytes, lengthBytes).ConfigureAwait(false);
        try
        {
            return (await driver.HoldAsync(offsetBytes, lengthBytes, cancellationToken).ConfigureAwait(false)).CountedBy(requests);
        }
        catch
        {
            requests.Leave();
            throw;
        }
    }

    /// <summary>Describes which blocks hold data: see <see cref="IBlockDevice.DescribeExtents"/>.</summary>
    public ValueTask<int> DescribeExtentsAsync(
        Lba start, long blockCount, Memory<BlockExtent> extents)
    {
        if (!requests.TryEnter()) return DescribeWhenAdmittedAsync(start, blockCount, extents);
        if (IsRestricted && Refusal(DriverOperation.Read) is { } refusal)
        {
            requests.Leave();
            return ValueTask.FromException<int>(refusal);
        }
        return new(Describe(start, blockCount, extents));
    }

    /// <summary>Describes which blocks have been changed since some moment: see <see cref="IChangeMap.DescribeChanges"/>.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<int> DescribeChangesAsync(IChangeMap map, Lba start, long blockCount, Memory<BlockChange> runs)
    {
        await AdmitAsync(DriverOperation.Read, 0, 0).ConfigureAwait(false);
        try
        {
            return map.DescribeChanges(start, blockCount, runs.Span);
        }
        finally
        {
            requests.Leave();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<int> DescribeWhenAdmittedAsync(Lba start, long blockCount, Memory<BlockExtent> extents)
    {
        await AdmitAsync(DriverOperation.Read, 0, 0).ConfigureAwait(false);
        return Describe(start, blockCount, extents);
    }

    int Describe(Lba start, long blockCount, Memory<BlockExtent> extents)
    {
        try
        {
            return driver.Device.DescribeExtents(start, blockCount, extents.Span);
        }
        finally
        {
            requests.Leave();
        }
    }
}
