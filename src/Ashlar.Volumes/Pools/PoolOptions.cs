using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>How a pool works.</summary>
public sealed record PoolOptions
{
    /// <summary>What the pool is called; null takes the name that it was created with.</summary>
    public string? Name { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Chance: for identities.</summary>
    public IEntropySource Entropy { get; init; } = SystemEntropy.Instance;

    /// <summary>Memory for the map, in bytes: about 2 KB for each MiB of volumes in use.</summary>
    public long MapCacheBytes { get; init; } = 256L << 20;

    /// <summary>Longest time that a new block waits for a commit when nobody flushes: what a loss of power may cost.</summary>
    public TimeSpan CommitInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often checksums of blocks overwritten in place are committed; until then markers speak for them.</summary>
    public TimeSpan ChecksumInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a MiB must not have been overwritten before its marker is cleared.</summary>
    public TimeSpan MarkerQuietTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// MiB with markers that there may be, which take some 200 bytes of memory each; beyond it those whose checksums are durable are
    /// cleared before their time.
    /// </summary>
    public int MaxMarkedLeaves { get; init; } = 256 * 1024;

    /// <summary>
    /// The same for marked blocks of 4 KiB: with what waits for a commit it bounds what has to be checked after an unclean stop.
    /// </summary>
    public long MaxMarkedBlocks { get; init; } = 16L << 20;

    /// <summary>How fast the check after an unclean stop may read, in bytes a second.</summary>
    public long SweepBytesPerSecond { get; init; } = 256L << 20;

    /// <summary>The machine that has the pool in use, as far as a pool with its metadata on the device tells others.</summary>
    public PoolHost Host { get; init; } = PoolHost.ThisMachine;

    /// <summary>
    /// Where it logs what it has not committed yet, so that the death of the process costs nothing that was written; null: what nobody
    /// has flushed may be lost with it.
    /// </summary>
    public RecentWritesPlace? RecentWrites { get; init; }

    /// <summary>
    /// How the store of a pool with its metadata on the device works: sizes at most, for a small device has smaller ones. Its place, clock
    /// and chance are the pool's.
    /// </summary>
    public KeyValueOptions StoreOptions { get; init; } = new();

    /// <summary>
    /// Gets every event once, in order, one at a time, on a thread on which nothing else of the pool waits. While it does not return,
    /// a thousand events wait for it and more are left out and counted; closing the pool waits until it has got the last of them.
    /// </summary>
    public Action<PoolEvent>? Observer { get; init; }

    /// <summary>Memory that can still be taken, in bytes.</summary>
    internal Func<long> AvailableMemory { get; init; } =
        static () => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - GC.GetTotalMemory(forceFullCollection: false);

    /// <summary>Chunks for metadata, when a device is formatted; null for a share of it.</summary>
    internal long? MetadataChunks { get; init; }

    internal PoolPartFactory Factory { get; init; } = new();
}
