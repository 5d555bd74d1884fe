using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// A device that is being made a copy of a member while that is in use. What it does not take harms nobody: it is given up.
/// </summary>
sealed class MemberTwin(IBlockDevice device, DeviceUse use)
{
    Exception? failure;
    long copiedStripes;

    public IBlockDevice Device => device;

    /// <summary>Why it has been given up, or null.</summary>
    public Exception? Failure => Volatile.Read(ref failure);

    /// <summary>How many stripes, from the first on, it holds as the member does.</summary>
    public long CopiedStripes
    {
        get => Volatile.Read(ref copiedStripes);
        set => Volatile.Write(ref copiedStripes, value);
    }

    /// <summary>Of these, those that it does not hold.</summary>
    public SkippedStripes Skipped { get; } = new();

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WriteAsync(Lba start, ReadOnlyMemory<byte> source)
    {
        try
        {
            if (Failure is not null) return;
            use.Enter(device);
            try
            {
                await device.WriteAsync(start, source).ConfigureAwait(false);
            }
            finally
            {
                use.Exit();
            }
        }
        catch (BlockDeviceException e)
        {
            GiveUp(e);
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ZeroAsync(Lba start, long blockCount, ZeroOptions options)
    {
        try
        {
            if (Failure is not null) return;
            use.Enter(device);
            try
            {
                await device.WriteZeroesAsync(start, blockCount, options).ConfigureAwait(false);
            }
            finally
            {
                use.Exit();
            }
        }
        catch (BlockDeviceException e)
        {
            GiveUp(e);
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask FlushAsync()
    {
        try
        {
            if (Failure is not null) return;
            use.Enter(device);
            try
            {
                await device.FlushAsync().ConfigureAwait(false);
            }
            finally
            {
                use.Exit();
            }
        }
        catch (BlockDeviceException e)
        {
            GiveUp(e);
        }
    }

    /// <summary>It did not take something.</summary>
    public void GiveUp(BlockDeviceException cause) => Interlocked.CompareExchange(ref failure, cause, null);
}
