using Ashlar.Api;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>What is told of the map of a volume.</summary>
static class VolumeMaps
{
    const long BlockBytes = StoragePool.BlockBytes;

    /// <summary>The map by regions of one length.</summary>
    public static async Task<VolumeMap> ReadAsync(
        ServedPool pool, string name, int regionCount, string? since, CancellationToken cancellationToken)
    {
        using var view = await pool.OpenMapViewAsync();
        var volume = Require(view, pool, name);
        var accesses = pool.FindAccesses(name);
        var blocks = Math.Max(1, (volume.SizeBytes + BlockBytes - 1) / BlockBytes);
        var regionBlocks = (blocks + regionCount - 1) / regionCount;
        var regions = (blocks + regionBlocks - 1) / regionBlocks;
        var (exclusive, shared, reserved) = (new long[regions], new long[regions], new long[regions]);
        long unreadable = 0;
        foreach (var run in view.ReadRuns(volume, onDamage: _ => unreadable++))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Add(!run.HoldsData ? reserved : run.IsShared ? shared : exclusive, run.FirstBlock, run.BlockCount);
        }
        var changed = since is null ? null : new long[regions];
        foreach (var extent in since is null ? [] : view.ReadChanges(volume, since))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Add(changed!, extent.OffsetBytes / BlockBytes, (extent.LengthBytes + BlockBytes - 1) / BlockBytes);
        }
        return new()
        {
            Pool = pool.Name,
            Volume = volume.Name,
            SizeBytes = volume.SizeBytes,
            RegionBytes = regionBlocks * BlockBytes,
            ExclusiveBytes = exclusive,
            SharedBytes = shared,
            ReservedBytes = reserved,
            Since = since,
            ChangedBytes = changed,
            UnreadablePieces = unreadable,
            Accesses = new(
                accesses?.RegionBytes ?? StoragePool.LeafBytes,
                (long)AccessReport.HalfLife.TotalSeconds,
                Touched(accesses?.Reads),
                Touched(accesses?.Writes)),
        };

        void Add(long[] counts, long firstBlock, long blockCount)
        {
            for (long block = firstBlock, end = firstBlock + blockCount; block < end;)
            {
                var next = Math.Min(end, ((block / regionBlocks) + 1) * regionBlocks);
                // The last block of a volume may be shorter.
                counts[block / regionBlocks] += Math.Min(next * BlockBytes, volume.SizeBytes) - (block * BlockBytes);
                block = next;
            }
        }
    }

    /// <summary>How scattered a volume lies: of its first data, so that nobody waits long for the answer.</summary>
    public static async Task<Api.VolumeFragmentation> MeasureFragmentationAsync(ServedPool pool, string name)
    {
        const long most = 64L << 30;
        using var view = await pool.OpenMapViewAsync();
        var found = view.MeasureFragmentation(Require(view, pool, name), most);
        return new()
        {
            Pool = pool.Name,
            Volume = name,
            DataBytes = found.DataBytes,
            Pieces = found.Pieces,
            ScatteredBytes = found.ScatteredBytes,
            IsWhole = found.IsWhole,
        };
    }

    /// <summary>Extents from a place on: so many at the most.</summary>
    public static async Task<IReadOnlyList<VolumeExtent>> ListExtentsAsync(ServedPool pool, string name, long startBytes, int most)
    {
        using var view = await pool.OpenMapViewAsync();
        var volume = Require(view, pool, name);
        var extents = new List<VolumeExtent>();
        var position = startBytes;
        // Pieces that cannot be read are met in their order, before the run that follows them.
        var unreadable = new Queue<long>();
        foreach (var run in view.ReadRuns(volume, startBytes / BlockBytes, damage => unreadable.Enqueue(damage.OffsetBytes)))
        {
            var start = run.FirstBlock * BlockBytes;
            while (unreadable.TryPeek(out var piece) && piece < start) AddUnreadable(unreadable.Dequeue());
            Add(start, "unallocated");
            Add((run.FirstBlock + run.BlockCount) * BlockBytes, !run.HoldsData ? "reserved" : run.IsShared ? "shared" : "exclusive");
            // One more than is asked for may still grow by what follows it, which nobody sees.
            if (extents.Count > most) return extents;
        }
        while (unreadable.TryDequeue(out var piece)) AddUnreadable(piece);
        Add(volume.SizeBytes, "unallocated");
        return extents;

        void AddUnreadable(long piece)
        {
            Add(piece, "unallocated");
            Add(piece + StoragePool.LeafBytes, "unreadable");
        }

        void Add(long end, string state)
        {
            end = Math.Min(end, volume.SizeBytes);
            if (end <= position) return;
            if (extents is [.., var last] && last.State == state) extents[^1] = last with { LengthBytes = end - last.OffsetBytes };
            else extents.Add(new(position, end - position, state));
            position = end;
        }
    }

    static VolumeInfo Require(MapView view, ServedPool pool, string name) =>
        view.Volumes.FirstOrDefault(volume => volume.Name == name)
            ?? throw new ApiException(ProblemKind.VolumeNotFound, $"there is no volume {pool.Name}/{name}");

    // Without the end that nobody touched.
    static IReadOnlyList<long> Touched(IReadOnlyList<long>? counts)
    {
        var end = counts?.Count ?? 0;
        while (end > 0 && counts![end - 1] == 0) end--;
        return [.. (counts ?? []).Take(end)];
    }
}
