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
sealed class Leaf(VolumeDevice volume, long index)
{
    /// <summary>Rough cost in memory, without and with entries.</summary>
    public const int EmptyBytes = 200, FullBytes = 2000;

    const int Dead = -1;

    int pins = 1;
    SharedCompletion? loading = new();
    LeafMap? map;
    int lastWriteEnd;
    int sequentialBlocks;

    public VolumeDevice Volume { get; } = volume;

    public long Index { get; } = index;

    public AsyncLock WriteLock { get; } = new();

    /// <summary>
    /// Counts removals of places: a reader that finds it unchanged after its I/O read from places that were still its own.
    /// </summary>
    public long Removals { get; private set; }

    public LeafDirt Dirt { get; set; }

    /// <summary>Whether blocks that the committed leaf calls valid were overwritten since the last capture.</summary>
    public bool IsOverwritten { get; set; }

    /// <summary>
    /// Whether a write failed and may have left a block torn that no commit has seen: it must stay damaged, also after a crash.
    /// </summary>
    public bool MayBeTorn { get; set; }

    /// <summary>Its marker; null when it never had one. Changed under the write lock.</summary>
    public LeafMarks? Marks { get; set; }

    /// <summary>
    /// Why the stored leaf cannot be read; null for a sound one. Nothing is known of what it mapped: requests fail until one of them
    /// writes or discards the whole range. Changed under the write lock.
    /// </summary>
    public CorruptDataException? Damage { get; set; }

    /// <summary>Whether it took the place of one that could not be read, and of whose chunks nobody knows.</summary>
    public bool IsReplacement { get; set; }

    /// <summary>
    /// When it was last changed, and up to which generation its places are those of an older version as well. Generation 0: there is no
    /// such leaf yet, or it is that of the snapshot that a clone came from. Changed under the write lock.
    /// </summary>
    public LeafVersion Version { get; set; }

    /// <summary>Generation that the leaf in the store has; 0 when there is none. Only the commit changes it.</summary>
    public long StoredGeneration { get; set; }

    /// <summary>The leaf in the store that checksums can be written beside; null when the next commit writes all of it.</summary>
    public WholeLeaf? Whole { get; set; }

    /// <summary>Whether the store may have a delta of it, which goes when all of it is written.</summary>
    public bool HasDelta { get; set; }

    /// <summary>Blocks whose checksums are others than those of <see cref="Whole"/>.</summary>
    public BlockSet Renewed { get; private set; }

    /// <summary>
    /// How often it was captured by commits that have not reached the store: above 0 the store does not have its versions as they will be.
    /// </summary>
    public int CapturesBeingWritten { get; set; }

    /// <summary>
    /// The last record of recent writes that the next capture covers; 0 when there is none. This and the next two are changed under
    /// <c>lock (leaf)</c>.
    /// </summary>
    public ulong RecentThrough { get; set; }

    /// <summary>The last record that captures cover which have not reached the store; 0 when there is none.</summary>
    public ulong CapturedRecent { get; set; }

    /// <summary>The last record of blocks whose marker will do when these captures are in the store.</summary>
    public ulong MarkedThrough { get; set; }

    /// <summary>What it has taken and let go of since the last capture, and what snapshots keep of it.</summary>
    public LeafChanges Changes { get; } = new();

    /// <summary>Set by every use, cleared by the cache's hand as it passes.</summary>
    public bool IsReferenced { get; set; }

    /// <summary>Position in the cache's ring; -1 before it got one.</summary>
    public int CachePosition { get; set; } = -1;

    /// <summary>Memory that the cache has counted for it.</summary>
    public int CountedBytes { get; set; }

    /// <summary>Whether it holds what the store has; until then it may only be waited for.</summary>
    public bool IsLoaded => Volatile.Read(ref loading) is null;

    /// <summary>Ends when the leaf has been loaded, or could not be.</summary>
    public ValueTask Loading => Volatile.Read(ref loading)?.Task ?? ValueTask.CompletedTask;

    public bool HasEntries => map is not null;

    public Span<ChunkEntry> Entries => map is null ? default : map.Entries;

    public ReadOnlySpan<uint> Checksums => map is null ? default : map.Checksums;

    /// <summary>Its content; null for one of an untouched range.</summary>
    public LeafMap? Map => map;

    /// <summary>Memory that it takes, roughly.</summary>
    public int MemoryBytes => map is null ? EmptyBytes : map.Redirected is null ? FullBytes : FullBytes + RedirectedBlocks.MemoryBytes;

    /// <summary>The leaf holds what the store has.</summary>
    public void LoadedWell()
    {
        var waiters = loading!;
        Volatile.Write(ref loading, null);
        waiters.SetResult();
    }

    /// <summary>The leaf could not be loaded, now; whoever waits for it fails, and the cache has forgotten it.</summary>
    public void LoadFailed(Exception cause) => loading!.SetException(cause);

    /// <summary>Makes room for entries; a leaf of an untouched range has none.</summary>
    public LeafMap EnsureEntries() => map ??= new LeafMap();

    /// <summary>Blocks have new checksums. Call under the lock.</summary>
    public void SetChecksums(int firstBlock, ReadOnlySpan<uint> checksums)
    {
        checksums.CopyTo(map!.Checksums.AsSpan(firstBlock));
        var renewed = Renewed;
        renewed.Add(SlotMasks.ToSet(firstBlock, checksums.Length));
        Renewed = renewed;
    }

    /// <summary>The store has it as a whole, or as that and a delta of some blocks. Call under the lock.</summary>
    public void StoredAs(WholeLeaf? whole, BlockSet delta)
    {
        (Whole, Renewed) = (whole, delta);
        HasDelta = !delta.IsEmpty;
    }

    /// <summary>Remembers where a write ended, and for how long writers have gone on where the one before ended.</summary>
    public void WroteTo(int firstBlock, int blockCount)
    {
        sequentialBlocks = SequentialBlocks(firstBlock) + blockCount;
        lastWriteEnd = firstBlock + blockCount;
    }

    /// <summary>
    /// How many blocks were written one after the other, in this leaf, up to a block; 0 when the last write ended elsewhere.
    /// </summary>
    public int SequentialBlocks(int block) => lastWriteEnd == block ? sequentialBlocks : 0;

    /// <summary>A request gives all of it anew: what could not be read no longer matters. Call under the lock.</summary>
    public void Replace()
    {
        if (Damage is null) return;
        Damage = null;
        IsReplacement = true;
    }

    /// <summary>Forgets entries that were only half read.</summary>
    public void Clear() => (map, Version, Whole) = (null, default, null);

    /// <summary>It is captured as it is, with all that was logged of it. Call under the lock.</summary>
    public void CaptureRecent()
    {
        if (RecentThrough == 0) return;
        (CapturedRecent, RecentThrough) = (RecentThrough, 0);
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

    /// <summary>Places are no longer its own, or no longer where readers look for them. Call under the lock.</summary>
    public void CountRemoval() => Removals++;

    /// <summary>Which blocks of a run the committed leaf calls valid where they lie, so that overwriting them there needs a marker
    /// first.</summary>
    public BlockSet CommittedIn(int firstBlock, int blockCount)
    {
        var blocks = default(BlockSet);
        lock (this)
        {
            if (map is null) return blocks;
            foreach (var (slot, mask) in new SlotMasks(firstBlock, blockCount))
                blocks[slot] = (ushort)(map.Entries[slot].CommittedHere & mask);
        }

        return blocks;
    }
}
