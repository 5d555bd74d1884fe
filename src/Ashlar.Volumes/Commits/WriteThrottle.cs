using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Where writers wait for commits: because too much waits to be committed, or for space.</summary>
sealed class WriteThrottle(PoolParts parts)
{
    const int MaxAttempts = 16;

    static readonly TimeSpan BackgroundPatience = TimeSpan.FromMilliseconds(50);

    /// <summary>Lets writers wait for a commit when more of the map is waiting for one than memory is meant for.</summary>
    public ValueTask WaitAsync()
    {
        if (parts.ChangedLeaves.AreTooMany) return parts.Committer.RunAsync(parts.ChangedLeaves.CheapestRelief);

        // Begun in time, nobody has to wait for it.
        if (parts.ChangedLeaves.AreMany) parts.Committer.Request(parts.ChangedLeaves.CheapestRelief);
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Waits for what is in quarantine to become free. If nothing is, one more attempt is allowed: it may have become free
    /// just now. Others may be quicker to take it, so patience has an end.
    /// </summary>
    /// <param name="device">Who needs it.</param>
    /// <param name="attempt">How often it was waited for already.</param>
    /// <param name="chunks">How much; null where that is not known.</param>
    /// <exception cref="DeviceFullException">There is nothing to free.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask WaitForSpaceAsync(string device, int attempt, long? chunks = null)
    {
        var isWaiting = parts.Space.QuarantinedChunks > 0;
        if (!isWaiting && parts.Work.IsBusy && attempt < MaxAttempts)
        {
            // A deleted volume may be giving its space back just now.
            await parts.Work.WaitAsync(BackgroundPatience);
            return;
        }

        if (attempt >= MaxAttempts || (attempt > 0 && !isWaiting))
        {
            var (free, all) = (parts.Space.FreeChunks * MapLayout.ChunkBytes, parts.Space.UsableChunks * MapLayout.ChunkBytes);
            var needed = chunks is { } count ? $"it needs {BinarySize.FormatExact(count * MapLayout.ChunkBytes)}, " : "";
            throw new DeviceFullException(
                device, $"{needed}of pool {parts.Name} {BinarySize.FormatExact(free)} of {BinarySize.FormatExact(all)} are free");
        }

        if (!isWaiting) return;
        await parts.Committer.RunAsync(CommitScope.Flush);
        await parts.Reclaimer.DrainAsync();
    }

    /// <summary>Promises free chunks to a request, after waiting for what is just being given back.</summary>
    /// <exception cref="DeviceFullException">There are not that many.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<SpaceReservation> ReserveAsync(string device, long chunks)
    {
        for (var attempt = 0; ; attempt++)
        {
            if (parts.Space.TryReserve(chunks) is { } reservation) return reservation;
            await WaitForSpaceAsync(device, attempt, chunks);
        }
    }

    /// <summary>
    /// The same for all of a thick volume, which must fit below the pool as well: refused before anything is taken, for to fill the file
    /// system up and then give way is to take it from everybody else on it.
    /// </summary>
    /// <exception cref="DeviceFullException">The pool, or what lies below, does not have so much.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<SpaceReservation> ReserveThickAsync(string device, long chunks)
    {
        var reservation = await ReserveAsync(device, chunks);
        try
        {
            RequireSpaceBelow(device, chunks * MapLayout.ChunkBytes);
            return reservation;
        }
        catch
        {
            reservation.Dispose();
            throw;
        }
    }

    // A hint: whoever takes the space decides. Where freed space could not be given back below, the pool has more than is free there.
    void RequireSpaceBelow(string device, long bytes)
    {
        if (parts.Device is not IReservableDevice below || parts.Reclaimer.PunchFailures > 0) return;
        long? free;
        try
        {
            free = below.FreeSpaceBelowBytes + (parts.Space.QuarantinedChunks * MapLayout.ChunkBytes);
        }
        catch (StorageException)
        {
            return; // Nobody knows.
        }

        if (bytes > free)
        {
            throw new DeviceFullException(
                device, $"it needs {BinarySize.FormatExact(bytes)}, the file system below has {BinarySize.FormatExact(free.Value)} free");
        }
    }
}
