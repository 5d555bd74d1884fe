using System.Numerics;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// What was met that cannot be read, until it is healed: written or discarded as a whole, or gone with its volume. What an earlier life
/// met counts from the beginning, until somebody has looked.
/// </summary>
/// <remarks>
/// Invariant: a block is added and taken out under the write lock of its leaf, by whoever judges it and by whoever gives it new content.
/// </remarks>
sealed class DamageLog(PoolEvents events)
{
    /// <summary>So many places are remembered; of more the log tells, and the list says that it was cut: the disk is the message.</summary>
    public const int MaxRemembered = 10_000;

    const int WholeLeaf = DamagedPlace.WholeLeaf;

    readonly Lock gate = new();
    readonly Dictionary<long, OfVolume> volumes = []; // By lineage; only those that have damage.
    readonly SortedDictionary<long, DamagedPlace> inOrder = []; // As they were met.
    long findings;
    bool hasChanged; // Since somebody took the changes.
    bool isCut;
    int knownCount; // Of all places, for those who do not enter the gate for nothing.
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
            long mapPieces = volumes.Values.Sum(each => each.MapPieces);
            return new PoolDamage(
                inOrder.Count - mapPieces,
                mapPieces,
                [.. inOrder.Values.Take(listed).Select(place => $"pool {events.Pool}: {Describe(place, nameOf)}")])
            {
                VolumesWithBlocks = Names(each => each.Blocks > 0),
                VolumesWithMapPieces = Names(each => each.MapPieces > 0),
                IsCut = isCut,
            };
        }

        IReadOnlyList<string> Names(Func<OfVolume, bool> which) =>
        [
            .. volumes.Where(each => which(each.Value))
                .Select(each => nameOf(each.Key))
                .OfType<string>()
                .Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>What is damaged of one volume, in its order.</summary>
    public IReadOnlyList<DamagedRange> List(long lineage)
    {
        if (Volatile.Read(ref knownCount) == 0) return [];
        DamagedPlace[] places;
        lock (gate) places = volumes.TryGetValue(lineage, out var known) ? [.. known.Findings.Keys] : [];
        return
        [
            .. places.OrderBy(place => place.OffsetBytes)
                .Select(place => new DamagedRange(place.OffsetBytes, place.LengthBytes, place.Block == WholeLeaf)),
        ];
    }

    /// <summary>An earlier life met these. Until they are looked at they count, and stay on the list that the next life gets.</summary>
    public void Expect(IEnumerable<DamagedPlace> places)
    {
        lock (gate)
            foreach (var place in places) TryPut(place, message: null);
    }

    /// <summary>What an earlier life met, and nobody has looked at.</summary>
    public IReadOnlyList<DamagedPlace> ListExpected()
    {
        lock (gate) return [.. inOrder.Values.Where(place => Find(place) is { Message: null })];
    }

    /// <summary>Somebody has read what was expected there. If that met damage it is known as such by now, and stays.</summary>
    public void Looked(DamagedPlace place)
    {
        lock (gate)
            if (Find(place) is { Message: null }) Remove(place);
    }

    /// <summary>Takes what the next life is to look at; false when it is what it was the last time.</summary>
    public bool TryTakeChanges(int most, out IReadOnlyList<DamagedPlace> places)
    {
        lock (gate)
        {
            places = hasChanged ? [.. inOrder.Values.Take(most)] : [];
            var had = hasChanged;
            hasChanged = false;
            return had;
        }
    }

    /// <summary>What was taken has not come to where the next life finds it.</summary>
    public void PutChangesBack()
    {
        lock (gate) hasChanged = true;
    }

    /// <summary>What of a volume is damaged now, as far as it was met: blocks of 4,096 bytes, and pieces of its map.</summary>
    public (long Blocks, long MapPieces) CountOf(long lineage)
    {
        if (Volatile.Read(ref knownCount) == 0) return default;
        lock (gate) return volumes.TryGetValue(lineage, out var known) ? (known.Blocks, known.MapPieces) : default;
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
            if (!volumes.ContainsKey(leaf.Volume.Lineage)) return;
            for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
            {
                for (var mask = healed[slot]; mask != 0; mask &= (ushort)(mask - 1))
                {
                    var block = (slot * MapLayout.BlocksPerChunk) + BitOperations.TrailingZeroCount(mask);
                    Remove(new(leaf.Volume.Lineage, leaf.Index, block));
                }
            }
        }
    }

    /// <summary>A piece of the map was replaced, or given up.</summary>
    public void HealedMap(long lineage, long leafIndex)
    {
        if (Volatile.Read(ref knownCount) == 0) return;
        lock (gate) Remove(new(lineage, leafIndex, WholeLeaf));
    }

    /// <summary>A volume is gone.</summary>
    public void Forget(long lineage)
    {
        lock (gate)
        {
            if (!volumes.TryGetValue(lineage, out var known)) return;
            foreach (var place in known.Findings.Keys.ToList()) Remove(place);
        }
    }

    string Describe(DamagedPlace place, Func<long, string?> nameOf) => Find(place)!.Message
        ?? $"{(place.Block == WholeLeaf ? "the map" : "data")} of volume {nameOf(place.Lineage)}, bytes {place.OffsetBytes} to "
            + $"{place.OffsetBytes + place.LengthBytes - 1}, was damaged before the pool was opened, and has not been read since";

    Finding? Find(DamagedPlace place) =>
        volumes.TryGetValue(place.Lineage, out var known) && known.Findings.TryGetValue(place, out var finding) ? finding : null;

    bool TryAdd(DamagedPlace place, string message)
    {
        lock (gate)
        {
            if (Find(place) is { } finding)
            {
                if (finding.Message is not null) return false;
                volumes[place.Lineage].Findings[place] = finding with { Message = message };
                return true;
            }

            if (!TryPut(place, message)) return false;
            hasChanged = true;
            return true;
        }
    }

    bool TryPut(DamagedPlace place, string? message)
    {
        if (inOrder.Count >= MaxRemembered)
        {
            isCut = true;
            return false;
        }

        if (!volumes.TryGetValue(place.Lineage, out var known)) volumes[place.Lineage] = known = new();
        if (!known.Findings.TryAdd(place, new(findings + 1, message))) return false;
        inOrder.Add(++findings, place);
        if (place.Block == WholeLeaf) known.MapPieces++;
        Volatile.Write(ref knownCount, inOrder.Count);
        return true;
    }

    void Remove(DamagedPlace place)
    {
        if (!volumes.TryGetValue(place.Lineage, out var known) || !known.Findings.Remove(place, out var finding)) return;
        inOrder.Remove(finding.Number);
        if (place.Block == WholeLeaf) known.MapPieces--;
        if (known.Findings.Count == 0) volumes.Remove(place.Lineage);
        hasChanged = true;
        Volatile.Write(ref knownCount, inOrder.Count);
    }

    /// <param name="Number">Its place in the order in which they were met.</param>
    /// <param name="Message">What is said of it; null where an earlier life met it, and nobody has looked yet.</param>
    sealed record Finding(long Number, string? Message);

    sealed class OfVolume
    {
        public Dictionary<DamagedPlace, Finding> Findings { get; } = [];

        public int MapPieces { get; set; }

        public int Blocks => Findings.Count - MapPieces;
    }
}
