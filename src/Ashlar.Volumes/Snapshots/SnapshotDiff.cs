using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>A range of a volume that two snapshots do not have in common.</summary>
/// <param name="OffsetBytes">Its first byte; a multiple of 4,096.</param>
/// <param name="LengthBytes">Its length.</param>
/// <param name="IsZero">Whether it reads as zeros in the younger one.</param>
public readonly record struct ChangedExtent(long OffsetBytes, long LengthBytes, bool IsZero);

/// <summary>Finds what changed between two snapshots of a volume, by what of the map was changed: costs that, and not the volume.</summary>
sealed class SnapshotDiff(Func<KeyRange, KeyValueCursor> scan, LeafVersions versions, Func<long> chunkCount, string pool)
{
    /// <summary>
    /// What of a snapshot differs from an older one; or, without one, what of it holds data. Neighbours of one kind are one extent. What is
    /// named may hold the same all the same: it was written.
    /// </summary>
    /// <param name="volume">The volume.</param>
    /// <param name="from">Generation of the older snapshot; 0 for none.</param>
    /// <param name="to">The snapshot.</param>
    public IEnumerable<ChangedExtent> Find(VolumeDevice volume, long from, SnapshotRecord to)
    {
        var pending = default(ChangedExtent);
        foreach (var leafIndex in from == 0 ? ListAll(volume, to) : ListChanged(volume.Lineage, from, to.Generation))
        {
            foreach (var extent in Compare(volume.Lineage, leafIndex, from, to.Generation))
            {
                if (extent.OffsetBytes >= to.SizeBytes) break;
                var end = Math.Min(extent.OffsetBytes + extent.LengthBytes, to.SizeBytes);
                var follows = pending.LengthBytes > 0 && pending.OffsetBytes + pending.LengthBytes == extent.OffsetBytes;
                if (follows && pending.IsZero == extent.IsZero)
                {
                    pending = pending with { LengthBytes = end - pending.OffsetBytes };
                    continue;
                }

                if (pending.LengthBytes > 0) yield return pending;
                pending = extent with { LengthBytes = end - extent.OffsetBytes };
            }
        }

        if (pending.LengthBytes > 0) yield return pending;
    }

    /// <summary>
    /// What of a volume is not as a snapshot says, as far as it is committed: where, and whether the snapshot has zeros there.
    /// </summary>
    /// <param name="volume">The volume.</param>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="current">Generation that it is compared with.</param>
    /// <param name="onDamage">
    /// Gets what cannot be read of the map, and the rest goes on, with all that the snapshot has where only the other side is damaged;
    /// without it, damage is thrown.
    /// </param>
    public IEnumerable<ChangedExtent> FindSince(
        VolumeDevice volume, SnapshotRecord snapshot, long current, Action<CorruptDataException>? onDamage = null)
    {
        foreach (var leafIndex in ListChanged(volume.Lineage, snapshot.Generation, current))
        {
            foreach (var extent in Compare(volume.Lineage, leafIndex, current, snapshot.Generation, onDamage))
            {
                var length = Math.Min(extent.LengthBytes, snapshot.SizeBytes - extent.OffsetBytes);
                if (length > 0) yield return extent with { LengthBytes = length };
            }
        }
    }

    /// <summary>
    /// What of a volume, as it is, differs from a snapshot: written or discarded since, what it has grown by included. Ascending;
    /// neighbours are not joined.
    /// </summary>
    /// <param name="lineage">Number under which the leaves of the volume are kept.</param>
    /// <param name="generation">Of the snapshot.</param>
    /// <param name="sizeBytes">Of the volume.</param>
    public IEnumerable<ChangedExtent> FindUntilNow(long lineage, long generation, long sizeBytes)
    {
        const long now = MapLayout.MaxNumber48;
        foreach (var leafIndex in ListChanged(lineage, generation, now - 1))
        {
            foreach (var extent in Compare(lineage, leafIndex, generation, now))
            {
                var length = Math.Min(extent.LengthBytes, sizeBytes - extent.OffsetBytes);
                if (length > 0) yield return extent with { LengthBytes = length };
            }
        }
    }

    // Of the head, too: a leaf that was not changed since the younger snapshot is that one's.
    IEnumerable<long> ListChanged(long lineage, long from, long to) => new ChangedLeafList(scan).Read(lineage, (from, to));

    static IEnumerable<long> ListAll(VolumeDevice volume, SnapshotRecord to) =>
        LeafOccupancy.Between(volume, 0, (to.SizeBytes + MapLayout.LeafBytes - 1) / MapLayout.LeafBytes);

    IEnumerable<ChangedExtent> Compare(long lineage, long leafIndex, long from, long to, Action<CorruptDataException>? onDamage)
    {
        if (onDamage is null) return Compare(lineage, leafIndex, from, to);
        foreach (var before in (long[])[from, 0])
        {
            try
            {
                return [.. Compare(lineage, leafIndex, before, to)];
            }
            catch (CorruptDataException damage)
            {
                if (before == from) onDamage(damage);
            }
        }

        return [];
    }

    IEnumerable<ChangedExtent> Compare(long lineage, long leafIndex, long from, long to)
    {
        var (before, after) = (from == 0 ? new LeafMap() : Load(lineage, leafIndex, from), Load(lineage, leafIndex, to));
        var first = leafIndex * MapLayout.LeafBytes;
        for (var block = 0; block < MapLayout.BlocksPerLeaf;)
        {
            var kind = Compare(before, after, block);
            var end = block + 1;
            while (end < MapLayout.BlocksPerLeaf && Compare(before, after, end) == kind) end++;
            if (kind != Change.None)
            {
                yield return new ChangedExtent(
                    first + ((long)block * MapLayout.BlockBytes), (long)(end - block) * MapLayout.BlockBytes, kind == Change.Zero);
            }

            block = end;
        }
    }

    /// <summary>Whether a block is not where it was, holds something else, or does not hold data any more.</summary>
    public static bool IsChanged(LeafMap before, LeafMap after, int block) => Compare(before, after, block) != Change.None;

    static Change Compare(LeafMap before, LeafMap after, int block)
    {
        var (was, isValid) = (before.IsValid(block), after.IsValid(block));
        if (!isValid) return was ? Change.Zero : Change.None;
        return was && before.PlaceOf(block) == after.PlaceOf(block) && before.Checksums[block] == after.Checksums[block]
            ? Change.None
            : Change.Data;
    }

    LeafMap Load(long lineage, long leafIndex, long generation)
    {
        var map = new LeafMap();
        if (versions.Find(lineage, leafIndex, generation, out _) is { } value)
            LeafFormat.Read(value, map, chunkCount(), pool, leafIndex);
        return map;
    }

    enum Change
    {
        None = 0,
        Data,
        Zero,
    }
}
