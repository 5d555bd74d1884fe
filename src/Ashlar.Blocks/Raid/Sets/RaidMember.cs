using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>A device of a set. One that has missed a write is never used again: what it holds is old.</summary>
sealed class RaidMember(int number, IBlockDevice? device)
{
    const int MaxAttempts = 3;

    Exception? failure;
    int readsUnderWay;
    long lastReadEnd;

    /// <summary>Its place in the layout.</summary>
    public int Number => number;

    /// <summary>The device; there is none for a member that is missing.</summary>
    public IBlockDevice? Device => device;

    public bool IsUsable => device is not null && Volatile.Read(ref failure) is null;

    /// <summary>Why it is not used any more.</summary>
    public Exception? Failure => Volatile.Read(ref failure);

    /// <summary>Reads under way: of two copies the less busy one is asked.</summary>
    public int ReadsUnderWay => Volatile.Read(ref readsUnderWay);

    /// <summary>Byte behind the last read: who reads on is served by the same copy.</summary>
    public long LastReadEnd => Volatile.Read(ref lastReadEnd);

    /// <summary>It has missed something. False if that was known.</summary>
    public bool TryFail(Exception cause) => Interlocked.CompareExchange(ref failure, cause, null) is null;

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ReadAsync(long offsetBytes, Memory<byte> destination)
    {
        Volatile.Write(ref lastReadEnd, offsetBytes + destination.Length);
        Interlocked.Increment(ref readsUnderWay);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await device!.ReadAsync(ToLba(offsetBytes), destination).ConfigureAwait(false);
                    return;
                }
                catch (BlockDeviceException e) when (e.IsTransient && attempt < MaxAttempts)
                {
                    // Once more.
                }
            }
        }
        finally
        {
            Interlocked.Decrement(ref readsUnderWay);
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> source)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await device!.WriteAsync(ToLba(offsetBytes), source).ConfigureAwait(false);
                return;
            }
            catch (BlockDeviceException e) when (e.IsTransient && attempt < MaxAttempts)
            {
                // Once more.
            }
        }
    }

    public ValueTask ZeroAsync(long offsetBytes, long lengthBytes, ZeroOptions options) =>
        device!.WriteZeroesAsync(ToLba(offsetBytes), lengthBytes / device.Geometry.BlockSizeBytes, options);

    Lba ToLba(long offsetBytes) => new(offsetBytes / device!.Geometry.BlockSizeBytes);
}
