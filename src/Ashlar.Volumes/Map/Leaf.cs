using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>What of a leaf has not been committed.</summary>
enum LeafDirt
{
    /// <summary>The store holds it as it is.</summary>
    None = 0,

    /// <summary>Only checksums of blocks that were overwritten in place, under a durable marker: a crash costs nothing.</summary>
    Checksums,

    /// <summary>Places or valid blocks changed: a flush must commit it.</summary>
    Map,
}

/// <summary>
/// The map of one MiB of a volume, in memory. <see cref="WriteLock"/> orders whoever changes data or map of it and is held
/// over I/O; the fields are read and changed under <c>lock (leaf)</c>, which is never held over I/O, so that readers take a
/// consistent copy at any time.
/// </summary>
sealed class Leaf(ThinVolume volume, long index)
{
    /// <summary>Rough cost in memory, without and with entries.</summary>
    public const int EmptyBytes = 200, FullBytes = 2000;

    const int Dead = -1;

    int pins = 1;
    ChunkEntry[]? entries;
    uint[]? checksums;

    public ThinVolume Volume { get; } = volume;

    public long Index { get; } = index;

    public AsyncLock WriteLock { get; } = new();

    /// <summary>Counts removals of places: a reader that finds it unchanged after its I/O read from places that were still its own.</summary>
    public long Removals { get; private set; }

    public LeafDirt Dirt { get; set; }

    /// <summary>Whether blocks that the committed leaf calls valid were overwritten since the last capture.</summary>
    public bool IsOverwritten { get; set; }

    /// <summary>Places removed since the last capture. They may be used again once a leaf without them is durable.</summary>
    public List<long>? RemovedChunks { get; set; }

    /// <summary>Set by every use, cleared by the cache's hand as it passes.</summary>
    public bool IsReferenced { get; set; }

    /// <summary>Position in the cache's ring.</summary>
    public int CachePosition { get; set; }

    public bool HasEntries => entries is not null;

    public Span<ChunkEntry> Entries => entries;

    public Span<uint> Checksums => checksums;

    /// <summary>Makes room for entries; a leaf of an untouched range has none.</summary>
    public void EnsureEntries()
    {
        entries ??= new ChunkEntry[MapLayout.ChunksPerLeaf];
        checksums ??= new uint[MapLayout.BlocksPerLeaf];
    }

    /// <summary>Keeps the leaf in memory; false when the cache has dropped it already.</summary>
    public bool TryPin()
    {
        var seen = Volatile.Read(ref pins);
        while (seen != Dead)
        {
            var found = Interlocked.CompareExchange(ref pins, seen + 1, seen);
            if (found == seen) return true;
            seen = found;
        }

        return false;
    }

    public void Unpin() => Invariant.Require(Interlocked.Decrement(ref pins) >= 0);

    /// <summary>Drops the leaf if nobody uses it. A leaf with dirt is pinned by it.</summary>
    public bool TryKill() => Interlocked.CompareExchange(ref pins, Dead, 0) == 0;

    /// <summary>Unmaps a chunk. Call under the lock.</summary>
    public void Remove(int slot)
    {
        ref var entry = ref Entries[slot];
        Invariant.Require(entry.Chunk != 0);
        (RemovedChunks ??= []).Add(entry.Chunk);
        entry = new ChunkEntry { CapturedChunk = entry.CapturedChunk };
        Removals++;
    }

    /// <summary>Whether one of the blocks is valid in the committed leaf, so that overwriting it needs a marker first.</summary>
    public bool OverlapsCommitted(int firstBlock, int blockCount, bool judgeByMemory = false)
    {
        lock (this)
        {
            if (entries is null) return false;
            foreach (var (slot, mask) in new SlotMasks(firstBlock, blockCount))
                if (((judgeByMemory ? entries[slot].Valid : entries[slot].CommittedValid) & mask) != 0) return true;
            return false;
        }
    }
}
