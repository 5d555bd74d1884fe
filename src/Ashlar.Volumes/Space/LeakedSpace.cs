using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Chunks whose only owner was a leaf that cannot be read. When such a leaf is given up nobody can say which chunks were its own;
/// a walk over all leaves that remain finds chunks that are in use and belong to none.
/// </summary>
/// <remarks>
/// Crash order: a note that chunks may have leaked is written with the end of the leaf, and goes with the bitmaps without them; so
/// the walk is made at some time, and may be made twice. The walk needs no lock: every batch of a commit leaves map and bitmaps in
/// agreement, so a snapshot of the store shows which chunks leaked, and what leaked stays so, because only its owner could free it.
/// While a leaf of any volume cannot be read nothing is freed: it may be the owner.
/// </remarks>
sealed class LeakedSpace(
    KeyValueStore store,
    ChunkSpace space,
    FragmentSpace fragments,
    Catalogue catalogue,
    Committer commits,
    MetadataWriter writer,
    IBlockDevice device,
    DamageLog damage,
    PoolEvents events,
    BackgroundWork work)
{
    /// <summary>Whether a walk is due.</summary>
    public bool IsSuspected => store.Get(MapKeys.MayHaveLeaked) is not null;

    /// <summary>Adds the end of leaves that cannot be read to a batch.</summary>
    public void Drop(VolumeDevice volume, IReadOnlyList<long> leaves, WriteBatch batch)
    {
        if (leaves.Count == 0) return;
        var key = new byte[MapKeys.LeafBytes];
        foreach (var leaf in leaves)
        {
            MapKeys.WriteLeaf(key, volume.Lineage, leaf);
            batch.Delete(key);
            batch.Delete(MapKeys.Delta(volume.Lineage, leaf));
            damage.HealedMap(volume.Lineage, leaf);
            events.Report(
                PoolEventKind.DamagedMap,
                PoolEventSeverity.Warning,
                $"volume {volume.Record.Name}, MiB {leaf}: the map cannot be read and is given up; a walk over the map will free its space",
                volume.Record.Name);
        }

        batch.Put(MapKeys.MayHaveLeaked, []);
    }

    /// <summary>Walks the map in the background.</summary>
    public void Reclaim() => _ = work.Enqueue("reclaiming the space of damaged pieces of the map", null, ReclaimAsync);

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask ReclaimAsync(CancellationToken cancellationToken)
    {
        if (!IsSuspected) return;
        List<long> leaked;
        List<(long Chunk, ushort Leaked, ushort Owned)> leakedBlocks;
        List<(VolumeDevice Volume, long Surplus)> surplus;
        using (var snapshot = store.CreateSnapshot())
        {
            var walk = MapWalk.Run(snapshot, space, "the pool", cancellationToken);
            if (walk.UnreadableLeaves > 0)
            {
                events.Report(
                    PoolEventKind.Reclaim,
                    PoolEventSeverity.Warning,
                    $"space of lost pieces of the map cannot be reclaimed while {walk.UnreadableLeaves} others cannot be read");
                return;
            }

            leaked = [.. walk.FindLeaked(snapshot)];
            leakedBlocks = [.. walk.FindLeakedBlocks(snapshot)];
            surplus = [.. walk.FindUsageSurplus(snapshot).Join(
                catalogue.Volumes.Concat(catalogue.Trash),
                each => each.Lineage,
                volume => volume.Lineage,
                (each, volume) => (volume, each.Surplus))];
        }

        await commits.RunAsync(CommitScope.Flush);
        await commits.ExcludeAsync(async () =>
        {
            // The bitmaps in memory would speak of leaves that are not there yet. Tried again later.
            if (commits.HasUnwritten) throw new DeviceFullException(writer.PoolName, "a commit waits for space");
            // What requests take blocks of just now belongs to somebody; its leaked blocks go with it, one day.
            leaked.RemoveAll(fragments.IsKnown);
            leakedBlocks.RemoveAll(each => fragments.IsKnown(each.Chunk));
            await WriteAsync(leaked, leakedBlocks, surplus);
            return true;
        });
        await PunchAsync(leaked);
        space.Release(leaked.ToArray());
        events.Report(
            PoolEventKind.Reclaim,
            PoolEventSeverity.Information,
            $"{leaked.Count * (long)MapLayout.ChunkBytes} bytes that belonged to lost pieces of the map are free again");
    }

    // In use until their bitmaps without them are durable, and punched before anybody else gets them. What the store holds is changed,
    // not what memory holds: leaves may be captured that no write has brought to the store yet.
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask WriteAsync(
        List<long> leaked, List<(long Chunk, ushort Leaked, ushort Owned)> leakedBlocks, List<(VolumeDevice Volume, long Surplus)> usages)
    {
        var batch = new WriteBatch();
        fragments.Correct(leakedBlocks, batch);
        var words = new ulong[GroupBitmap.Words];
        var value = new byte[GroupBitmap.MaxBytes];
        foreach (var group in leaked.GroupBy(chunk => (int)(chunk / MapLayout.ChunksPerGroup)))
        {
            words.AsSpan().Clear();
            if (store.Get(MapKeys.Bitmap(group.Key)) is { } stored) GroupBitmap.Read(stored, words, device.Name, group.Key);
            foreach (var chunk in group) words[chunk % MapLayout.ChunksPerGroup / 64] &= ~(1UL << (int)(chunk % 64));
            GroupBitmap.Add(batch, group.Key, words, value);
        }

        foreach (var (volume, surplus) in usages)
        {
            if (store.Get(MapKeys.Usage(volume.Lineage)) is not { Length: sizeof(long) } stored) continue;
            BinaryPrimitives.WriteInt64LittleEndian(value, BinaryPrimitives.ReadInt64LittleEndian(stored) - surplus);
            batch.Put(MapKeys.Usage(volume.Lineage), value.AsSpan(0, sizeof(long)));
        }

        batch.Delete(MapKeys.MayHaveLeaked);
        await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: true);
        foreach (var chunk in leaked) space.Capture(chunk, 0);
        foreach (var (volume, surplus) in usages) volume.Disown(surplus);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask PunchAsync(List<long> leaked)
    {
        var blocksPerChunk = MapLayout.ChunkBytes / device.Geometry.BlockSizeBytes;
        foreach (var chunk in leaked)
        {
            try
            {
                await device.TrimAsync(new Lba(chunk * blocksPerChunk), blocksPerChunk);
            }
            catch (Exception cause) when (cause is BlockDeviceException or NotSupportedException)
            {
                space.NoteUnpunched(chunk, 1); // Free all the same: it is never read, because the next owner's blocks start invalid.
            }
        }
    }
}
