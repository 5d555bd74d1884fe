using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Reads what the medium holds, for judging what an earlier life left. That one may have ended by a flush that failed: the system's cache
/// then shows data that the medium does not have, and no later flush will write it. A checksum that was taken from the cache would
/// turn into damage once the cache forgets.
/// </summary>
/// <remarks>
/// Order: flush, so that what is merely not written yet is; drop what the cache holds; read. What a request has written meanwhile is
/// not dropped; it is the new content of the block, which is in doubt no longer.
/// </remarks>
sealed class MediumReads(IBlockDevice device)
{
    readonly Lock gate = new();
    SharedCompletion? flush;

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ReadAsync(Lba start, Memory<byte> destination)
    {
        await FlushOnceAsync();
        (device as ICachingDevice)?.DropCached(start, destination.Length / device.Geometry.BlockSizeBytes);
        await device.ReadAsync(start, destination);
    }

    ValueTask FlushOnceAsync()
    {
        SharedCompletion mine;
        lock (gate)
        {
            if (flush is not null) return flush.Task;
            flush = mine = new SharedCompletion();
        }

        _ = FlushAsync(mine);
        return mine.Task;
    }

    async Task FlushAsync(SharedCompletion completion)
    {
        try
        {
            await device.FlushAsync();
            completion.SetResult();
        }
        catch (Exception cause)
        {
            completion.SetException(cause); // The device refuses flushes from now on; whoever waits is told why.
        }
    }
}
