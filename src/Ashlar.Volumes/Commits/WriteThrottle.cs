using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Where writers wait for commits: because too much waits to be committed, or for space.</summary>
sealed class WriteThrottle(PoolParts parts)
{
    const int MaxAttempts = 16;

    // Of what thick volumes hold: the map takes 1,282 bytes of each MiB, up to 191 for a delta, and some more while it is written anew.
    const int BytesPerMapByte = 512;

    // What the store keeps for a full disk is up to twice what was written last, and so much at the most.
    const long MaxMapReserveBytes = 128 << 20;

    static readonly TimeSpan BackgroundPatience = TimeSpan.FromMilliseconds(50);

    readonly Lock promising = new();

    /// <summary>Lets writers wait for a commit when more of the map is waiting for one than memory is meant for.</summary>
    public ValueTask WaitAsync()
    {
        if (parts.ChangedLeaves.AreTooMany) return parts.Committer.RunAsync(parts.ChangedLeaves.CheapestRelief);
        if (parts.Recent.IsTooLong) return RelieveLogAsync();

        // Begun in time, nobody has to wait for it.
        if (parts.ChangedLeaves.AreMany) parts.Committer.Request(parts.ChangedLeaves.CheapestRelief);
        else if (parts.Recent.IsLong) parts.Committer.Request(CommitScope.Flush);
        return ValueTask.CompletedTask;
    }

    // A disk of the map that takes no commit must not stop those who need none.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask RelieveLogAsync()
    {
        try
        {
            await parts.Committer.RunAsync(CommitScope.Flush);
        }
        catch (DeviceFullException refused)
        {
            parts.Recent.GiveUp(refused);
        }
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
        if (!await TryWaitAsync(attempt, (chunks ?? 1) - parts.Space.FreeChunks))
            throw new DeviceFullException(device, DescribeShortage(chunks));
    }

    /// <summary>Promises free chunks to a request, after waiting for what is just being given back.</summary>
    /// <exception cref="DeviceFullException">There are not that many.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<SpaceReservation> ReserveAsync(string device, long chunks)
    {
        long mostFree = 0;
        for (var attempt = 0; ; attempt++)
        {
            if (parts.Space.TryReserve(chunks) is { } reservation) return reservation;
            if (ComesNearer(ref mostFree)) attempt = 0;
            await WaitForSpaceAsync(device, attempt, chunks);
        }
    }

    /// <summary>
    /// The same for all of a thick volume, which must fit below the pool as well, with its map and beside what others were promised:
    /// refused before anything is taken, for to fill the file system up and then give way is to take it from everybody else on it.
    /// </summary>
    /// <exception cref="DeviceFullException">The pool, or what lies below, does not have so much.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<SpaceReservation> ReserveThickAsync(string device, long chunks)
    {
        long mostFree = 0;
        for (var attempt = 0; ; attempt++)
        {
            if (TryReserveThick(chunks, out var shortage, out var missing) is { } reservation) return reservation;
            if (ComesNearer(ref mostFree)) attempt = 0;
            if (!await TryWaitAsync(attempt, missing)) throw new DeviceFullException(device, shortage);
        }
    }

    /// <summary>Whether there is more free than ever before: who needs much has patience for as long as what is given back makes it more.
    /// </summary>
    public bool ComesNearer(ref long mostFree)
    {
        var free = parts.Space.FreeChunks;
        var isMore = free > mostFree && mostFree > 0;
        mostFree = Math.Max(mostFree, free);
        return isMore;
    }

    // Waits for what is being given back, and where nothing is lets the trash make room; false when it cannot, or patience has come to its
    // end.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryWaitAsync(int attempt, long missing)
    {
        if (attempt >= MaxAttempts) return false;
        if (parts.Space.QuarantinedChunks > 0)
        {
            await parts.Committer.RunAsync(CommitScope.Flush);
            await parts.Reclaimer.DrainAsync();
            return true;
        }

        // A deleted volume may be giving its space back just now.
        if (!parts.Work.IsBusy) return await parts.MakeRoom(Math.Max(1, missing)) || attempt == 0;
        await parts.Work.WaitAsync(BackgroundPatience);
        return true;
    }

    // One at a time, so that of two that do not fit together one gets what it needs.
    SpaceReservation? TryReserveThick(long chunks, out string shortage, out long missing)
    {
        (shortage, missing) = ("", 0);
        lock (promising)
        {
            if (parts.Space.TryReserve(chunks) is not { } reservation)
            {
                shortage = DescribeShortage(chunks);
                missing = chunks - parts.Space.FreeChunks;
                return null;
            }

            if (FindShortageBelow(chunks) is not var (below, missingBytes)) return reservation;
            reservation.Dispose();
            (shortage, missing) = (below, (missingBytes + MapLayout.ChunkBytes - 1) / MapLayout.ChunkBytes);
            return null;
        }
    }

    // After the chunks were reserved. A hint: whoever takes the space decides. Where freed space could not be given back below, the pool
    // has more than is free there; what is still to be given back counts when it is free.
    (string Shortage, long MissingBytes)? FindShortageBelow(long chunks)
    {
        if (parts.Device is not IReservableDevice device) return null;
        long? free;
        try
        {
            free = device.FreeSpaceBelowBytes;
        }
        catch (StorageException)
        {
            return null; // Nobody knows.
        }

        var (needed, promised) = (chunks * MapLayout.ChunkBytes, (parts.Space.ReservedChunks - chunks) * MapLayout.ChunkBytes);
        var (map, others) = (MapBytes(needed), promised + MapBytes(promised));
        if (free is not { } below) return null;
        var missing = needed + map + others - below - (parts.Space.UnpunchedChunks * MapLayout.ChunkBytes);
        if (missing <= 0) return null;
        var shortage = $"it needs {BinarySize.FormatExact(needed)}, and {BinarySize.FormatExact(map)} for its map; "
            + "the file system below has "
            + BinarySize.FormatExact(below) + " free"
            + (others > 0 ? $", of which {BinarySize.FormatExact(others)} are promised to others" : "");
        return (shortage, missing);
    }

    static long MapBytes(long bytes) => (bytes / BytesPerMapByte) + Math.Min(2 * bytes / BytesPerMapByte, MaxMapReserveBytes);

    string DescribeShortage(long? chunks)
    {
        var (free, all) = (parts.Space.FreeChunks * MapLayout.ChunkBytes, parts.Space.UsableChunks * MapLayout.ChunkBytes);
        var needed = chunks is { } count ? $"it needs {BinarySize.FormatExact(count * MapLayout.ChunkBytes)}, " : "";
        return $"{needed}of pool {parts.Name} {BinarySize.FormatExact(free)} of {BinarySize.FormatExact(all)} are free";
    }
}
