using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Carries from one opening to the next where something was damaged. What an earlier life met is read again, in the background, so that
/// what is said of it is so now: what is still damaged is reported as if a request had met it, and what was healed meanwhile is not.
/// </summary>
sealed class DamageRecheck(PoolParts parts, Func<long, VolumeDevice?> findVolume)
{
    const int MaxRemembered = 1000; // As many as anybody wants to look at again.

    /// <summary>Reads what an earlier life has left word of.</summary>
    public void Begin()
    {
        if (parts.Store.Get(MapKeys.Damage) is not { } value) return;
        var places = DamagedPlace.Read(value);
        parts.Damage.Expect(places);
        _ = parts.Work.Enqueue("looking at what was damaged", null, cancellationToken => LookAsync(places, cancellationToken));
    }

    /// <summary>Leaves word, if anything has changed since the last time.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask SaveAsync()
    {
        if (!parts.Damage.TryTakeChanges(MaxRemembered, out var places)) return;
        var batch = new WriteBatch();
        if (places.Count == 0) batch.Delete(MapKeys.Damage);
        else batch.Put(MapKeys.Damage, DamagedPlace.ToBytes(places));
        try
        {
            await parts.Metadata.WriteAsync(batch, Durability.Relaxed, mayUseReserve: false);
        }
        catch (DeviceFullException)
        {
            // The next change is written with it; until then whoever reads the block is told.
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask LookAsync(IReadOnlyList<DamagedPlace> places, CancellationToken cancellationToken)
    {
        foreach (var place in places)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (findVolume(place.Lineage) is { } volume) await ReadAsync(volume, place, cancellationToken);
            }
            catch (AshlarException)
            {
                // Whoever judged it has reported it, if it is damaged.
            }

            parts.Damage.Looked(place);
        }
    }

    // A block, or any of a leaf: its piece of the map is read for that.
    static async ValueTask ReadAsync(VolumeDevice volume, DamagedPlace place, CancellationToken cancellationToken)
    {
        var length = (int)Math.Min(MapLayout.BlockBytes, volume.SizeBytes - place.OffsetBytes);
        if (length > 0) await volume.ReadAsync(new Lba(place.OffsetBytes / volume.BlockSizeBytes), new byte[length], cancellationToken);
    }
}
