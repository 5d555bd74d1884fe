using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Reads again, in the background, where an earlier life met damage. What is still damaged is reported as if a request had met it; what
/// was healed meanwhile is no longer counted; what cannot be read now, for whatever reason, counts on.
/// </summary>
sealed class DamageRecheck(PoolParts parts, Func<long, VolumeDevice?> findVolume) : IAsyncDisposable
{
    // Its own: deletions and resizings may take hours.
    readonly BackgroundWork work = new(parts.Events, parts.Options.TimeProvider);

    /// <summary>Completes when it has looked everywhere.</summary>
    public Task Idle => work.Idle;

    /// <summary>
    /// Counts what an earlier life has left word of. Before any volume is known: what is healed, or goes with its volume, goes from it.
    /// </summary>
    public void Prepare()
    {
        if (parts.Store.Get(MapKeys.Damage) is { } value) parts.Damage.Expect(DamagedPlace.Read(value));
    }

    /// <summary>Begins to read, when all volumes are known.</summary>
    public void Start()
    {
        var places = parts.Damage.ListExpected();
        if (places.Count > 0)
            _ = work.Enqueue("looking at what was damaged", null, cancellationToken => LookAsync(places, cancellationToken));
    }

    /// <summary>Ends it; what it has not come to is left to the next life.</summary>
    public ValueTask DisposeAsync() => work.DisposeAsync();

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask LookAsync(IReadOnlyList<DamagedPlace> places, CancellationToken cancellationToken)
    {
        foreach (var place in places)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await TryReadAsync(place, cancellationToken)) parts.Damage.Looked(place);
        }
    }

    // Whether it is known by now what is there. A block, or any of a leaf: its piece of the map is read for that.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    async ValueTask<bool> TryReadAsync(DamagedPlace place, CancellationToken cancellationToken)
    {
        if (findVolume(place.Lineage) is not { } volume) return true;
        var length = (int)Math.Min(MapLayout.BlockBytes, volume.SizeBytes - place.OffsetBytes);
        if (length <= 0) return true;
        try
        {
            await volume.ReadAsync(new Lba(place.OffsetBytes / volume.BlockSizeBytes), new byte[length], cancellationToken);
            return true;
        }
        catch (Exception judged) when (judged is CorruptDataException or VolumeDeletedException or BlockRangeException)
        {
            return true; // Whoever judged it has reported it; or it went meanwhile.
        }
        catch (AshlarException)
        {
            return false;
        }
    }
}
