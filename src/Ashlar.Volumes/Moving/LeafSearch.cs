using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Goes once through the map as the store has it, in steps, for leaves that own places where none may stay.</summary>
sealed class LeafSearch(PoolParts parts)
{
    const int StepLeaves = 64;
    const int StepVersions = 8192;

    // A block by itself takes as long as so much in one piece.
    const long BlockCostBytes = 8 * MapLayout.BlockBytes;

    byte[]? from = MapKeys.Leaves.ToArray();

    /// <summary>Whether all has been looked at.</summary>
    public bool IsDone => from is null;

    /// <summary>Pieces of the map that cannot be read.</summary>
    public List<string> Unreadable { get; } = [];

    /// <summary>The next leaves, so many that moving what they have takes as long as copying a few MiB.</summary>
    public List<(long Lineage, long LeafIndex)> Next(long maxBytes)
    {
        var found = new List<(long, long)>();
        long bytes = 0;
        using var heads = parts.Store.Scan(KeyRange.Between(from!, "M"u8.ToArray()));
        for (var looked = 0; looked < StepVersions; looked++)
        {
            if (!heads.MoveNext())
            {
                from = null;
                return found;
            }

            var (lineage, leafIndex, _) = MapKeys.ReadLeaf(heads.Key);
            from = [.. heads.Key, 0];
            if (CountBarred(lineage, leafIndex, heads.Value) is not (> 0 and var count)) continue;
            found.Add((lineage, leafIndex));
            bytes += count;
            if (found.Count >= StepLeaves || bytes >= maxBytes) return found;
        }

        return found;
    }

    // At least one where there is any, of the head or of what is kept.
    long CountBarred(long lineage, long leafIndex, ReadOnlySpan<byte> head)
    {
        try
        {
            var origin = parts.Versions.Parents.TryGetValue(lineage, out var parent) ? parent.Generation : 0;
            var bytes = CountBarred(head, leafIndex, origin, out var version);
            if (version.Older == 0) return bytes;
            using var kept = parts.Store.Scan(
                KeyRange.Between(MapKeys.OldLeaf(lineage, leafIndex, -1), MapKeys.OldLeavesEnd(lineage, leafIndex)));
            while (kept.MoveNext())
                if (!kept.Value.IsEmpty) bytes += CountBarred(kept.Value, leafIndex, origin, out _);
            return bytes;
        }
        catch (CorruptDataException damage)
        {
            if (Unreadable.Count < 100) Unreadable.Add(damage.Message);
            return 0;
        }
    }

    long CountBarred(ReadOnlySpan<byte> value, long leafIndex, long origin, out LeafVersion version)
    {
        var map = new LeafMap();
        version = LeafFormat.Read(value, map, parts.Space.ChunkCount, parts.Name, leafIndex);
        long bytes = 0;
        foreach (ref readonly var entry in map.Entries.AsSpan())
            if (entry.Chunk != 0 && entry.Birth > origin && parts.Space.IsBarred(entry.Chunk)) bytes += MapLayout.ChunkBytes;
        foreach (var (_, place, birth) in map.ListRedirected())
            if (birth > origin && parts.Space.IsBarred(place / MapLayout.BlocksPerChunk)) bytes += BlockCostBytes;
        return bytes;
    }
}
