using System.Globalization;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Deleted volumes that can still be had back. They go for good when their time is over, when somebody says so, and, the oldest first, when
/// the pool needs their space.
/// </summary>
/// <remarks>
/// Invariant: nothing goes for a request that would fail all the same: the whole trash must hold what is missing before any of it is taken.
/// So a thick volume that does not fit is refused, and the trash is as it was. Volumes that hold no space do not make room and stay.
/// </remarks>
sealed class Trash(Catalogue catalogue, VolumeRemover remover, PoolParts parts)
{
    readonly AsyncLock turn = new();
    int isExpiring;

    /// <summary>What its volumes hold.</summary>
    public long AllocatedBytes => catalogue.Trash.Sum(volume => volume.AllocatedBytes);

    /// <summary>Lets volumes go until so many chunks come back.</summary>
    /// <returns>Whether space comes back now; false when the trash does not have so much.</returns>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<bool> MakeRoomAsync(long chunks)
    {
        if (catalogue.Trash.Count == 0) return false;
        await turn.EnterAsync();
        try
        {
            if (parts.Work.IsBusy || parts.Space.QuarantinedChunks > 0) return true; // Another one has made room; look again.
            var holding = catalogue.Trash.Where(volume => volume.AllocatedBytes > 0).ToArray();
            var missingBytes = chunks * MapLayout.ChunkBytes;
            if (holding.Sum(volume => volume.AllocatedBytes) < missingBytes) return false;
            foreach (var volume in holding)
            {
                if (missingBytes <= 0) break;
                missingBytes -= volume.AllocatedBytes;
                await PurgeAsync(volume.Record.Id, "because the pool needs its space");
            }

            return true;
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Begins to let those go whose time is over, in the background.</summary>
    public void RemoveExpired()
    {
        if (!catalogue.Trash.Any(HasExpired) || Interlocked.Exchange(ref isExpiring, 1) != 0) return;
        _ = parts.Work.Enqueue("emptying the trash of what has been there for long enough", volume: null, async _ =>
        {
            try
            {
                foreach (var volume in catalogue.Trash.Where(HasExpired))
                    await PurgeAsync(volume.Record.Id, "its time in the trash is over");
            }
            finally
            {
                Volatile.Write(ref isExpiring, 0);
            }
        });
    }

    /// <summary>Deletes a volume for good; null when it is not there.</summary>
    /// <param name="id">The volume.</param>
    /// <param name="why">For the event; null when somebody asked for it, who knows.</param>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public async ValueTask<VolumeDeletion?> PurgeAsync(Guid id, string? why)
    {
        if (await catalogue.PurgeAsync(id) is not { } volume) return null;
        if (why is not null)
        {
            parts.Events.Report(
                PoolEventKind.Volume,
                PoolEventSeverity.Information,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"volume {volume.Record.Name} ({volume.Record.Id}), in the trash since {volume.Record.Trashed?.Since:u}, is deleted "
                    + $"for good, {why}: {BinarySize.FormatExact(volume.AllocatedBytes)}"),
                volume.Record.Name);
        }
        return remover.Begin(volume);
    }

    bool HasExpired(VolumeDevice volume) => volume.Record.Trashed is var (_, until) && until <= parts.Options.TimeProvider.GetUtcNow();
}
