using Ashlar.Blocks;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>The parts of an open pool that its volumes share, in the order in which they depend on each other.</summary>
sealed class PoolParts : IDisposable
{
    bool isClosed;
    long repairedBlocks;

    public PoolParts(
        string name,
        IBlockDevice device,
        KeyValueStore store,
        ChunkSpace space,
        PoolGeneration generation,
        BlockChecksum checksum,
        PoolOptions options)
    {
        options = options with { TimeProvider = WorkerClock.For(options.TimeProvider) };
        (Name, Device, Store, Space, Generation, Checksum, Options) = (name, device, store, space, generation, checksum, options);
        Events = new PoolEvents(name, options.Observer);
        Failure = new FailureLatch(name, Events);
        Metadata = new MetadataWriter(store, Failure, Events, name);
        Recent = options.Factory.CreateRecentWrites(this);
        Unverified = new UnverifiedBlocks(Events);
        Medium = new MediumReads(device);
        Damage = new DamageLog(Events);
        Rules = options.Factory.CreateRules();
        Markers = options.Factory.CreateMarkers(this);
        Versions = new LeafVersions(store, name);
        LeafStore = new LeafStore(store, Versions, generation, Markers, Damage, Events, space);
        Cache = new LeafCache(LeafStore, options.MapCacheBytes);
        ChangedLeaves = new ChangedLeaves(Cache);
        Reclaimer = options.Factory.CreateReclaimer(this);
        Fragments = new FragmentSpace(store, space, Reclaimer, name);
        Committer = options.Factory.CreateCommitter(this);
        Work = new BackgroundWork(Events, options.TimeProvider);
        Throttle = new WriteThrottle(this);
    }

    public string Name { get; }

    /// <summary>Holds the data.</summary>
    public IBlockDevice Device { get; }

    /// <summary>Holds the map. Written to by <see cref="Metadata"/> only.</summary>
    public KeyValueStore Store { get; }

    public ChunkSpace Space { get; }

    /// <summary>Where blocks lie that are not at home.</summary>
    public FragmentSpace Fragments { get; }

    public PoolGeneration Generation { get; }

    /// <summary>What tells whether a block holds what it should.</summary>
    public BlockChecksum Checksum { get; }

    /// <summary>What snapshots see.</summary>
    public LeafVersions Versions { get; }

    public PoolOptions Options { get; }

    public PoolEvents Events { get; }

    public FailureLatch Failure { get; }

    public MetadataWriter Metadata { get; }

    /// <summary>What is written and not committed yet, for who comes after a kill.</summary>
    public RecentWrites Recent { get; }

    public UnverifiedBlocks Unverified { get; }

    public DamageLog Damage { get; }

    /// <summary>For what an earlier life left.</summary>
    public MediumReads Medium { get; }

    public BlockRules Rules { get; }

    public OverwriteMarkers Markers { get; }

    public LeafStore LeafStore { get; }

    public LeafCache Cache { get; }

    public ChangedLeaves ChangedLeaves { get; }

    public Reclaimer Reclaimer { get; }

    public Committer Committer { get; }

    /// <summary>What the pool does by itself and may take long.</summary>
    public BackgroundWork Work { get; }

    public WriteThrottle Throttle { get; }

    /// <summary>Called when chunks may belong to nobody, because a piece of the map that could not be read was replaced.</summary>
    public Action SpaceMayHaveLeaked { get; set; } = static () => { };

    /// <summary>Asked for so many chunks where nobody has them: whether volumes in the trash, the oldest first, give way.</summary>
    public Func<long, ValueTask<bool>> MakeRoom { get; set; } = static _ => ValueTask.FromResult(false);

    /// <summary>Blocks that were mended from another copy.</summary>
    public long RepairedBlocks => Interlocked.Read(ref repairedBlocks);

    public void CountRepaired() => Interlocked.Increment(ref repairedBlocks);

    /// <summary>Whether the pool takes no more requests.</summary>
    public bool IsClosed
    {
        get => Volatile.Read(ref isClosed);
        set => Volatile.Write(ref isClosed, value);
    }

    /// <summary>Ends the threads; device and store stay open.</summary>
    public void Dispose()
    {
        Committer.Dispose();
        Markers.Dispose();
        Reclaimer.Dispose();
        Recent.Dispose();
    }
}
