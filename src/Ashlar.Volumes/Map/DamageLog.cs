using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>What was met that cannot be read, until it is healed: written or discarded as a whole, or gone with its volume.</summary>
/// <remarks>
/// Invariant: a block is added and taken out under the write lock of its leaf, by whoever judges it and by whoever gives it new content.
/// </remarks>
sealed class DamageLog(PoolEvents events)
{
    // Beyond it damage is counted but no longer listed: by then the disk is the message.
    const int MaxRemembered = 10_000;

    const int WholeLeaf = DamagedPlace.WholeLeaf;

    readonly Lock gate = new();
    readonly Dictionary<DamagedPlace, Finding> known = [];
    readonly HashSet<DamagedPlace> expected = []; // By an earlier life, and not looked at yet.
    long findings;
    bool hasChanged; // Since somebody took the changes.
    int knownCount; // Of the list, for those who do not enter the gate for nothing.
    long blocks, maps;

    /// <summary>Requests that met a block which fails its checksum.</summary>
    public long Blocks => Interlocked.Read(ref blocks);

    /// <summary>Requests that met a piece of the map which cannot be read.</summary>
    public long Maps => Interlocked.Read(ref maps);

    public void CountMap() => Interlocked.Increment(ref maps);

    /// <summary>What is damaged now, as far as it was met.</summary>
    /// <param name="listed">How many are described.</param>
    /// <param name="nameOf">Name of the volume that keeps its leaves under a number; null when there is none.</param>
    public PoolDamage Describe(int listed, Func<long, string?> nameOf)
    {
        lock (gate)
        {
            var mapPieces = known.Keys.Count(place => place.Block == WholeLeaf);
            return new PoolDamage(
                known.Count - mapPieces,
                mapPieces,
                [.. known.Values.OrderBy(finding => finding.Number).Take(listed).Select(finding => finding.Message)])
            {
                Volumes =
                [
                    .. known.Keys.Select(place => place.Lineage).Distinct().Select(nameOf).OfType<string>().Order(StringComparer.Ordinal),
                ],
            };
        }
    }

    /// <summary>What is damaged of one volume, in its order.</summary>
    public IReadOnlyList<DamagedRange> List(long lineage)
    {
        if (Volatile.Read(ref knownCount) == 0) return [];
        lock (gate)
        {
            return
            [
                .. known.Keys.Where(place => place.Lineage == lineage)
                    .OrderBy(place => place.OffsetBytes)
                    .Select(place => new DamagedRange(place.OffsetBytes, place.LengthBytes, place.Block == WholeLeaf)),
            ];
        }
    }

    /// <summary>An earlier life met these; until they are looked at they stay on the list that the next life gets.</summary>
    public void Expect(IEnumerable<DamagedPlace> places)
    {
        lock (gate) expected.UnionWith(places);
    }

    /// <summary>Somebody has read what was expected there.</summary>
    public void Looked(DamagedPlace place)
    {
        lock (gate)
        {
            if (expected.Remove(place) && !known.ContainsKey(place)) hasChanged = true;
        }
    }

    /// <summary>Takes what the next life is to look at; false when it is what it was the last time.</summary>
    public bool TryTakeChanges(int most, out IReadOnlyList<DamagedPlace> places)
    {
        lock (gate)
        {
            places = hasChanged ? [.. known.Keys.Union(expected).Take(most)] : [];
            var had = hasChanged;
            hasChanged = false;
            return had;
        }
    }

    /// <summary>What of a volume is damaged now, as far as it was met: blocks of 4,096 bytes, and pieces of its map.</summary>
    public (long Blocks, long MapPieces) CountOf(long lineage)
    {
        if (Volatile.Read(ref knownCount) == 0) return default;
        lock (gate)
        {
            var all = known.Keys.LongCount(place => place.Lineage == lineage);
            var mapPieces = known.Keys.LongCount(place => place.Lineage == lineage && place.Block == WholeLeaf);
            return (all - mapPieces, mapPieces);
        }
    }

    /// <summary>A request met a block that fails its checksum; it is reported the first time.</summary>
    public void AddBlock(Leaf leaf, int block, CorruptDataException error)
    {
        Interlocked.Increment(ref blocks);
        var message = $"damaged data, which fails until its 4,096 bytes are written as a whole: {error.Message}";
        if (TryAdd(new(leaf.Volume.Lineage, leaf.Index, block), message))
            events.Report(PoolEventKind.DamagedBlock, PoolEventSeverity.Error, message, leaf.Volume.Record.Name, error);
    }

    /// <summary>A piece of the map cannot be read; it is reported the first time.</summary>
    public void AddMap(Leaf leaf, CorruptDataException error)
    {
        var first = leaf.Index * MapLayout.LeafBytes;
        var message = $"the map of volume {leaf.Volume.Record.Name} cannot be read for bytes {first} to "
            + $"{first + MapLayout.LeafBytes - 1}, which fail until they are written or discarded as a whole: {error.Message}";
        if (TryAdd(new(leaf.Volume.Lineage, leaf.Index, WholeLeaf), message))
            events.Report(PoolEventKind.DamagedMap, PoolEventSeverity.Error, message, leaf.Volume.Record.Name, error);
    }

    /// <summary>Blocks have new content, or none. The next damage to them is reported anew.</summary>
    public void Healed(Leaf leaf, BlockSet healed)
    {
        if (Volatile.Read(ref knownCount) == 0) return;
        lock (gate)
        {
            for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
            {
                for (var mask = healed[slot]; mask != 0; mask &= (ushort)(mask - 1))
                {
                    var block = (slot * MapLayout.BlocksPerChunk) + BitOperations.TrailingZeroCount(mask);
                    Remove(new(leaf.Volume.Lineage, leaf.Index, block));
                }
            }

            knownCount = known.Count;
        }
    }

    /// <summary>A piece of the map was replaced, or given up.</summary>
    public void HealedMap(long lineage, long leafIndex)
    {
        if (Volatile.Read(ref knownCount) == 0) return;
        lock (gate)
        {
            Remove(new(lineage, leafIndex, WholeLeaf));
            knownCount = known.Count;
        }
    }

    /// <summary>A volume is gone.</summary>
    public void Forget(long lineage)
    {
        lock (gate)
        {
            foreach (var place in known.Keys.Where(place => place.Lineage == lineage).ToList()) Remove(place);
            knownCount = known.Count;
        }
    }

    void Remove(DamagedPlace place) => hasChanged |= known.Remove(place);

    bool TryAdd(DamagedPlace place, string message)
    {
        lock (gate)
        {
            if (known.Count >= MaxRemembered || !known.TryAdd(place, new(++findings, $"pool {events.Pool}: {message}"))) return false;
            hasChanged = true;
            Volatile.Write(ref knownCount, known.Count);
            return true;
        }
    }

    readonly record struct Finding(long Number, string Message);
}
