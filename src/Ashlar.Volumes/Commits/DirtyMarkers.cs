using System.Buffers.Binary;
using System.Numerics;
using Ashlar.KeyValue;

namespace Ashlar.Volumes;

/// <summary>
/// Markers say which leaves are being overwritten in place. Data and checksum are two writes, so a crash between them leaves
/// a block that fails its checksum without being damaged. A marker that is durable before the first such write tells the two
/// apart: below a marker recovery takes blocks as they are, everywhere else a mismatch is corruption.
/// </summary>
/// <remarks>
/// One entry of the store covers 64 leaves. All writes of markers go through one loop, one after the other, each writing the
/// mask as it is in memory at that moment; so a clearing can never undo a later marking, whoever runs first.
/// </remarks>
sealed class DirtyMarkers(KeyValueStore store, PoolOptions options, FailureLatch failure)
{
    public const int LeavesPerGroup = 64;

    readonly Lock gate = new();
    readonly Dictionary<(long Lineage, long Group), MarkerGroup> groups = [];
    readonly WriteBatch batch = new();
    readonly List<MarkerGroup> pending = [];
    TaskCompletionSource? nextWrite;
    bool pendingIsUrgent;
    bool isWriting;
    long syncs;

    public long Syncs => Interlocked.Read(ref syncs);

    public long MarkedLeaves
    {
        get
        {
            lock (gate) return groups.Values.Sum(group => (long)BitOperations.PopCount(group.Durable));
        }
    }

    /// <summary>
    /// Makes sure that a leaf is marked on stable storage. Call under the leaf's write lock, before overwriting blocks that its
    /// committed form calls valid. The leaf counts as not committed from now on, so that the marker stays.
    /// </summary>
    public ValueTask EnsureAsync(Leaf leaf)
    {
        if (leaf.IsOverwritten) return ValueTask.CompletedTask;
        var key = (leaf.Volume.Lineage, leaf.Index / LeavesPerGroup);
        var position = (int)(leaf.Index % LeavesPerGroup);
        lock (gate)
        {
            if (!groups.TryGetValue(key, out var group)) groups.Add(key, group = new MarkerGroup(key.Lineage, key.Item2));
            leaf.IsOverwritten = true;
            group.UncommittedLeaves++;
            group.LastUse = options.TimeProvider.GetTimestamp();
            if ((group.Durable >> position & 1) != 0 || options.Has(PlantedBugs.MarkerNotDurable)) return ValueTask.CompletedTask;
            group.Mask |= MarkAhead(group, position);
            return new ValueTask(Enqueue(group, isUrgent: true));
        }
    }

    /// <summary>The checksums of a leaf that was overwritten are durable.</summary>
    public void Committed(Leaf leaf)
    {
        lock (gate)
            if (groups.TryGetValue((leaf.Volume.Lineage, leaf.Index / LeavesPerGroup), out var group)) group.UncommittedLeaves--;
    }

    /// <summary>
    /// Clears the markers of regions that have been quiet and whose checksums are durable. Not urgent: a marker that a crash
    /// brings back costs a check at the next start.
    /// </summary>
    public Task ClearAsync(TimeSpan quietTime)
    {
        lock (gate)
        {
            Task? last = null;
            foreach (var group in groups.Values)
            {
                if (group.Mask == 0 || (group.UncommittedLeaves != 0 && !options.Has(PlantedBugs.ClearMarkersEarly))) continue;
                if (quietTime > TimeSpan.Zero && options.TimeProvider.GetElapsedTime(group.LastUse) < quietTime) continue;
                // The memory changes before the store: an overwrite from here on marks again, and its write comes after this one.
                group.Mask = 0;
                group.Durable = 0;
                last = Enqueue(group, isUrgent: false);
            }

            return last ?? Task.CompletedTask;
        }
    }

    /// <summary>Forgets the markers of a volume that is gone; its entries are deleted with its record.</summary>
    public void Drop(long lineage)
    {
        lock (gate)
            foreach (var key in groups.Keys.Where(key => key.Lineage == lineage).ToArray()) groups.Remove(key);
    }

    // The more of a group is marked, the more is marked ahead: doubling up to the whole group, and at once if the group
    // before it is full. So streaming waits for one flush per 64 MiB, and one odd overwrite marks one MiB.
    ulong MarkAhead(MarkerGroup group, int position)
    {
        if (groups.TryGetValue((group.Lineage, group.Number - 1), out var before) && before.Durable == ulong.MaxValue) return ulong.MaxValue;
        var size = (int)Math.Min(BitOperations.RoundUpToPowerOf2((uint)BitOperations.PopCount(group.Mask) + 1), LeavesPerGroup);
        return size == LeavesPerGroup ? ulong.MaxValue : ((1UL << size) - 1) << (position / size * size);
    }

    Task Enqueue(MarkerGroup group, bool isUrgent)
    {
        if (!group.IsPending)
        {
            group.IsPending = true;
            pending.Add(group);
        }

        pendingIsUrgent |= isUrgent;
        nextWrite ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var task = nextWrite.Task;
        if (!isWriting)
        {
            isWriting = true;
            ThreadPool.UnsafeQueueUserWorkItem(static markers => _ = markers.WriteLoopAsync(), this, preferLocal: false);
        }

        return task;
    }

    async Task WriteLoopAsync()
    {
        var written = new List<(MarkerGroup Group, ulong Mask)>();
        while (true)
        {
            TaskCompletionSource waiters;
            Durability durability;
            lock (gate)
            {
                if (nextWrite is null)
                {
                    isWriting = false;
                    return;
                }

                waiters = nextWrite;
                nextWrite = null;
                durability = pendingIsUrgent ? Durability.Sync : Durability.Relaxed;
                pendingIsUrgent = false;
                batch.Clear();
                written.Clear();
                foreach (var group in pending)
                {
                    group.IsPending = false;
                    written.Add((group, group.Mask));
                    Encode(group);
                }

                pending.Clear();
            }

            try
            {
                failure.ThrowIfLatched();
                await store.WriteAsync(batch, durability);
                if (durability == Durability.Sync) Interlocked.Increment(ref syncs);
                lock (gate)
                    foreach (var (group, mask) in written)
                        group.Durable |= mask & group.Mask;
                waiters.SetResult();
            }
            catch (Exception cause)
            {
                failure.Latch(cause);
                waiters.SetException(failure.ToError(failure.First!));
                _ = waiters.Task.Exception; // Seen: a clearing has nobody who waits for it.
            }
        }
    }

    void Encode(MarkerGroup group)
    {
        var key = MapKeys.Marker(group.Lineage, group.Number);
        if (group.Mask == 0)
        {
            batch.Delete(key);
            return;
        }

        Span<byte> value = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(value, group.Mask);
        batch.Put(key, value);
    }

    sealed class MarkerGroup(long lineage, long number)
    {
        public long Lineage { get; } = lineage;

        public long Number { get; } = number;

        /// <summary>What the store shall hold.</summary>
        public ulong Mask { get; set; }

        /// <summary>What is known to be on stable storage.</summary>
        public ulong Durable { get; set; }

        /// <summary>Leaves below this marker with checksums that are not durable.</summary>
        public int UncommittedLeaves { get; set; }

        public long LastUse { get; set; }

        public bool IsPending { get; set; }
    }
}
