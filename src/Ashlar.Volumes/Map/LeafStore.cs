using System.Runtime.CompilerServices;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Reads leaves from the store, with the marker that a crash may have left for them.</summary>
sealed class LeafStore(
    KeyValueStore store,
    LeafVersions versions,
    PoolGeneration generation,
    OverwriteMarkers markers,
    DamageLog log,
    PoolEvents events,
    ChunkSpace space)
{
    volatile bool hasSuspects;

    /// <summary>
    /// Whether markers of an earlier life may lie in the store that nobody has looked at: then each leaf is read with its own.
    /// </summary>
    public bool HasSuspects
    {
        get => hasSuspects;
        set => hasSuspects = value;
    }

    /// <summary>Fills a leaf.</summary>
    /// <param name="leaf">A leaf that was just made.</param>
    /// <param name="mayWait">Whether it may wait for the disk.</param>
    /// <returns>False when it would have to wait and may not; then the leaf is as it was.</returns>
    /// <exception cref="StorageException">The store could not be read, this time.</exception>
    [SkipLocalsInit] // Only what was read of the buffers is looked at; clearing them costs as much as a look-up.
    public bool TryRead(Leaf leaf, bool mayWait)
    {
        try
        {
            if (leaf.Volume.AsOf is { } asOf) return TryReadOld(leaf, leaf.Volume.Lineage, asOf, mayWait);
            Span<byte> key = stackalloc byte[MapKeys.LeafBytes];
            Span<byte> value = stackalloc byte[LeafFormat.MaxBytes];
            MapKeys.WriteLeaf(key, leaf.Volume.Lineage, leaf.Index);
            if (!TryGet(key, value, mayWait, leaf, out var leafBytes)) return false;
            if (leafBytes == 0 && leaf.Volume.Parent is { } parent) return TryReadOld(leaf, parent.Lineage, parent.Generation, mayWait);
            Span<byte> delta = stackalloc byte[LeafDelta.MaxBytes];
            var deltaBytes = 0;
            if (leafBytes >= leaf.Volume.LeastWholeBytes)
            {
                MapKeys.WriteDelta(key, leaf.Volume.Lineage, leaf.Index);
                if (!TryGet(key[..MapKeys.DeltaBytes], delta, mayWait, leaf, out deltaBytes)) return false;
            }

            if (!TryReadMarker(leaf, mayWait, out var suspects)) return false;
            if (leafBytes > 0) Decode(leaf, value[..leafBytes], delta[..deltaBytes]);

            if (suspects is { } blocks) Suspect(leaf, blocks);
            return true;
        }
        catch (CorruptDataException damage)
        {
            leaf.Clear();
            leaf.HasDelta = true; // Or not: nobody knows.
            leaf.Damage = damage;
            if (leaf.Volume.AsOf is null) log.AddMap(leaf, damage);
            return true;
        }
    }

    // What a snapshot sees, or a clone that has no such leaf itself. Nothing of it is in doubt: a snapshot is taken when nothing is, and
    // nobody overwrites what it needs.
    bool TryReadOld(Leaf leaf, long lineage, long asOf, bool mayWait)
    {
        if (!mayWait) return false;
        if (versions.Find(lineage, leaf.Index, asOf, out _) is { } value) Decode(leaf, value);
        if (leaf.Map is { } map)
            foreach (ref var entry in map.Entries.AsSpan()) entry.Forgotten();
        return true;
    }

    // Memory first: what it holds of a marker is newer than the store, and a marker leaves memory only when the store has lost it. The
    // other way round a marker that was just cleared would come back, in memory only.
    bool TryReadMarker(Leaf leaf, bool mayWait, out BlockSet? blocks)
    {
        blocks = null;
        var isAsked = hasSuspects;
        leaf.Marks = markers.Find(leaf.Volume.Lineage, leaf.Index);
        if (!isAsked || leaf.Marks is not null) return true;
        Span<byte> key = stackalloc byte[MapKeys.MarkerBytes];
        Span<byte> value = stackalloc byte[MarkerFormat.MaxBytes];
        MapKeys.WriteMarker(key, leaf.Volume.Lineage, leaf.Index);
        if (!TryGet(key, value, mayWait, leaf, out var bytes)) return false;
        if (bytes == 0) return true;
        try
        {
            blocks = MarkerFormat.Read(value[..bytes], leaf.Volume.Name, leaf.Index);
        }
        catch (CorruptDataException damage)
        {
            // Nothing is in doubt then: what was being overwritten and does not match is an error. The leaf itself is sound.
            events.ReportOnce(
                PoolEventKind.DamagedMap,
                PoolEventSeverity.Warning,
                $"marker {leaf.Volume.Lineage}/{leaf.Index}",
                damage.Message,
                leaf.Volume.Record.Name,
                damage);
        }

        return true;
    }

    // False when it would have to wait and may not; 0 bytes when there is no such entry.
    bool TryGet(ReadOnlySpan<byte> key, Span<byte> value, bool mayWait, Leaf leaf, out int bytes)
    {
        if (mayWait)
        {
            store.TryGet(key, value, out bytes); // 0 bytes if it is absent; more than there is room for if it does not fit.
        }
        else if (store.TryGetCached(key, value, out bytes) == CachedGet.WouldWait)
        {
            return false;
        }

        if (bytes <= value.Length) return true;
        throw new CorruptDataException(
            leaf.Volume.Name, leaf.Index * MapLayout.LeafBytes, $"map: {bytes} bytes where there are {value.Length} at the most");
    }

    // Nobody else writes what the store has of a leaf that is being loaded, so the two belong together.
    void Decode(Leaf leaf, ReadOnlySpan<byte> value, ReadOnlySpan<byte> delta)
    {
        leaf.Version = Decode(leaf, value);
        leaf.StoredGeneration = leaf.Version.Generation;
        var whole = WholeLeaf.Of(leaf, value);
        leaf.StoredAs(whole, delta.IsEmpty ? default : LeafDelta.Apply(delta, leaf.Map!, whole!.Value.Tie, leaf.Volume.Name, leaf.Index));
    }

    LeafVersion Decode(Leaf leaf, ReadOnlySpan<byte> value)
    {
        var map = leaf.EnsureEntries();
        var version = LeafFormat.Read(value, map, space.ChunkCount, leaf.Volume.Name, leaf.Index);
        var newest = version.Generation;
        foreach (ref readonly var entry in map.Entries.AsSpan()) newest = Math.Max(newest, entry.Birth);
        foreach (var (_, _, birth) in map.ListRedirected()) newest = Math.Max(newest, birth);
        if (newest <= generation.Current) return version;
        throw new CorruptDataException(
            leaf.Volume.Name,
            leaf.Index * MapLayout.LeafBytes,
            $"map leaf: a place of generation {newest}, the pool is at {generation.Current}");
    }

    // Only what the leaf calls valid can be in doubt.
    void Suspect(Leaf leaf, BlockSet blocks)
    {
        leaf.Marks = markers.Adopt(leaf.Volume.Lineage, leaf.Index, blocks);
        var valid = default(BlockSet);
        if (leaf.HasEntries)
            for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++) valid[slot] = leaf.Entries[slot].Valid;
        leaf.Marks.Suspect.IntersectWith(valid);
    }
}
