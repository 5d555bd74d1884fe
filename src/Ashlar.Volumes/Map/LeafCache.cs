using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Loads leaves from the store and keeps them within a bound of memory: a clock hand passes over all leaves and drops those
/// that were not used since it last came by. Leaves in use, or not committed, are pinned and stay.
/// </summary>
sealed class LeafCache
{
    readonly LeafStore store;
    readonly long capacityBytes;
    readonly Action<object?> loadBlocking;
    readonly Lock ringGate = new();
    readonly List<Leaf> ring = [];
    readonly Lock[] installing = [.. Enumerable.Range(0, 64).Select(_ => new Lock())];
    int hand;
    long usedBytes;
    long loads;

    public LeafCache(LeafStore store, long capacityBytes)
    {
        this.store = store;
        this.capacityBytes = capacityBytes;
        MaxDirtyLeaves = (int)Math.Clamp(capacityBytes / 2 / Leaf.FullBytes, 16, int.MaxValue);
        loadBlocking = leaf => Load((Leaf)leaf!, mayWait: true);
    }

    /// <summary>Number of leaves that wait for a commit beyond which writers wait for one: half of the memory.</summary>
    public int MaxDirtyLeaves { get; }

    public long UsedBytes => Interlocked.Read(ref usedBytes);

    /// <summary>Leaves that were not in memory when they were asked for.</summary>
    public long Loads => Interlocked.Read(ref loads);

    /// <summary>
    /// The leaf, pinned. Completes at once if the leaf is in memory, if reading it need not wait for the disk, or if the caller may
    /// (<see cref="InlineWaits"/>).
    /// </summary>
    public ValueTask<Leaf> AcquireAsync(VolumeDevice volume, long index)
    {
        var leaf = volume.Leaves.Find(index);
        if (leaf is null || !leaf.TryPin())
        {
            leaf = FindOrInstall(volume, index, out var isMine);
            if (isMine)
            {
                Interlocked.Increment(ref loads);
                Load(leaf, mayWait: false);
            }
        }

        if (!leaf.IsReferenced) leaf.IsReferenced = true;
        return leaf.IsLoaded ? new ValueTask<Leaf>(leaf) : WaitAsync(leaf);
    }

    /// <summary>As <see cref="AcquireAsync"/>, for callers who may wait for the disk.</summary>
    public Leaf Acquire(VolumeDevice volume, long index)
    {
        var leaf = AcquireAsync(volume, index);
        return leaf.IsCompletedSuccessfully ? leaf.Result : leaf.AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Counts memory that a leaf took after it was loaded.</summary>
    public void Grew(Leaf leaf)
    {
        lock (ringGate)
        {
            if (leaf.CachePosition >= 0) Count(leaf);
        }
    }

    /// <summary>Forgets the leaves of a volume that is gone.</summary>
    public void Drop(VolumeDevice volume)
    {
        lock (ringGate)
        {
            for (var i = ring.Count - 1; i >= 0; i--)
                if (ring[i].Volume == volume && ring[i].TryKill()) Forget(ring[i]);
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    static async ValueTask<Leaf> WaitAsync(Leaf leaf)
    {
        await leaf.Loading;
        return leaf;
    }

    // A leaf is installed before it is read: whoever asks for it meanwhile waits for the same one. Otherwise a slow loader could
    // install what another loaded, changed, committed and dropped meanwhile, and undo the change.
    Leaf FindOrInstall(VolumeDevice volume, long index, out bool isMine)
    {
        lock (installing[(int)((ulong)(index + volume.Lineage) % (ulong)installing.Length)])
        {
            isMine = false;
            if (volume.Leaves.Find(index) is { } found && found.TryPin()) return found;
            var leaf = new Leaf(volume, index);
            volume.Leaves.Set(index, leaf);
            isMine = true;
            return leaf;
        }
    }

    // At once if the store need not wait for the disk, else on a thread that may.
    [SuppressMessage("Design", "CA1031", Justification = "Whatever it was, whoever waits for the leaf is told.")]
    void Load(Leaf leaf, bool mayWait)
    {
        try
        {
            if (!store.TryRead(leaf, mayWait))
            {
                if (!InlineWaits.AreAllowed)
                {
                    WorkerThreads.Blocking.Post(loadBlocking, leaf);
                    return;
                }

                InlineWaits.Waiting();
                store.TryRead(leaf, mayWait: true);
            }
        }
        catch (Exception cause)
        {
            leaf.Volume.Leaves.Remove(leaf);
            leaf.LoadFailed(ToError(leaf, cause));
            return;
        }

        Loaded(leaf);
    }

    // What users of a block device expect. The next request tries again, whatever it was.
    static Exception ToError(Leaf leaf, Exception cause) => cause is StorageException failure
        ? new DeviceIOException(
            leaf.Volume.Name,
            $"a piece of the map cannot be read now: {cause.Message}",
            isTransient: failure.Errno != Errno.InputOutput,
            cause)
        : cause;

    void Loaded(Leaf leaf)
    {
        lock (ringGate)
        {
            leaf.CachePosition = ring.Count;
            ring.Add(leaf);
            Count(leaf);
            Shrink();
        }

        leaf.LoadedWell();
    }

    void Count(Leaf leaf)
    {
        var bytes = leaf.MemoryBytes;
        usedBytes += bytes - leaf.CountedBytes;
        leaf.CountedBytes = bytes;
    }

    void Shrink()
    {
        for (var steps = 0; usedBytes > capacityBytes && ring.Count > 0 && steps < 64; steps++)
        {
            if (hand >= ring.Count) hand = 0;
            var leaf = ring[hand];
            if (leaf.IsReferenced)
            {
                leaf.IsReferenced = false;
                hand++;
            }
            else if (leaf.TryKill())
            {
                Forget(leaf);
            }
            else
            {
                hand++;
            }
        }
    }

    void Forget(Leaf leaf)
    {
        Invariant.Require(leaf is { Dirt: LeafDirt.None, IsOverwritten: false, RecentThrough: 0, CapturedRecent: 0 });
        leaf.Volume.Leaves.Remove(leaf);
        usedBytes -= leaf.CountedBytes;
        var last = ring[^1];
        ring[leaf.CachePosition] = last;
        last.CachePosition = leaf.CachePosition;
        ring.RemoveAt(ring.Count - 1);
    }
}
