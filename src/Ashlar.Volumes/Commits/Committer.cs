using Ashlar.Blocks;
using Ashlar.KeyValue;

namespace Ashlar.Volumes;

/// <summary>What a commit has to cover.</summary>
enum CommitScope
{
    /// <summary>What a flush promises: data, and leaves whose places or valid blocks changed.</summary>
    Flush = 0,

    /// <summary>Checksums of blocks overwritten in place as well, so that markers can be cleared.</summary>
    Checksums,
}

/// <summary>
/// Group commit. A request that arrives while a commit runs joins the next one, with all others that arrive meanwhile; commits
/// run one at a time, off the callers' threads.
/// </summary>
/// <remarks>
/// <para>Crash order of a commit:</para>
/// <para>1. Capture the changed leaves, each under its write lock, with the free space that belongs to exactly them.
/// Crash: nothing has changed on disk.</para>
/// <para>2. Flush the data device. Every captured leaf speaks of data whose write completed before the capture.
/// Crash: the data is there, the old map does not speak of it.</para>
/// <para>3. Write leaves and bitmaps to the store, durably. 3 before 2 would let the map call blocks valid that are not
/// there. Crash within: each batch is there or not, and each is consistent by itself.</para>
/// <para>4. Punch what the durable leaves have let go of, then give it out again. 4 before 3 would let another volume
/// overwrite a place that the map on disk still gives to its old owner; reuse before the punch would let the punch erase new
/// data. Crash: the space is free, though perhaps not punched.</para>
/// </remarks>
sealed class Committer(StoragePool pool) : IDisposable
{
    readonly Lock gate = new();
    readonly Lock dirtGate = new();
    readonly SemaphoreSlim turn = new(1, 1);
    readonly List<long> released = [];
    readonly List<long> punchLater = []; // Only the planted bug fills it.
    List<Leaf> changedMaps = [];
    List<Leaf> changedChecksums = [];
    TaskCompletionSource? nextRound;
    CommitScope nextScope;
    bool isRunning;
    long deviceWrites;
    long flushedWrites;
    long commits, dataFlushes, leavesWritten, chunksFreed, punchFailures;

    public long Commits => Interlocked.Read(ref commits);

    public long DataFlushes => Interlocked.Read(ref dataFlushes);

    public long LeavesWritten => Interlocked.Read(ref leavesWritten);

    public long ChunksFreed => Interlocked.Read(ref chunksFreed);

    public long PunchFailures => Interlocked.Read(ref punchFailures);

    /// <summary>Leaves that a commit has yet to write, roughly.</summary>
    public int DirtyLeaves => Volatile.Read(ref changedMaps).Count + Volatile.Read(ref changedChecksums).Count;

    /// <summary>Whether a flush would have to write the map.</summary>
    public bool HasChangedMaps => Volatile.Read(ref changedMaps).Count > 0;

    /// <summary>A write to the device has completed; the next flush must reach the device.</summary>
    public void DeviceWritten() => Interlocked.Increment(ref deviceWrites);

    /// <summary>A leaf changed. Call under <c>lock (leaf)</c> and the leaf's write lock, before the change is acknowledged.</summary>
    public void Changed(Leaf leaf, LeafDirt dirt)
    {
        if (leaf.Dirt >= dirt) return;
        if (leaf.Dirt == LeafDirt.None) leaf.TryPin();
        leaf.Dirt = dirt;
        lock (dirtGate) (dirt == LeafDirt.Map ? changedMaps : changedChecksums).Add(leaf);
    }

    /// <summary>Commits everything that completed before this call.</summary>
    public Task RunAsync(CommitScope scope)
    {
        lock (gate)
        {
            nextRound ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (scope > nextScope) nextScope = scope;
            var task = nextRound.Task;
            if (!isRunning)
            {
                isRunning = true;
                ThreadPool.UnsafeQueueUserWorkItem(static committer => _ = committer.LoopAsync(), this, preferLocal: false);
            }

            return task;
        }
    }

    /// <summary>Runs something while no commit runs.</summary>
    public async ValueTask<T> ExcludeAsync<T>(Func<ValueTask<T>> action)
    {
        await turn.WaitAsync();
        try
        {
            return await action();
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    async Task LoopAsync()
    {
        while (true)
        {
            TaskCompletionSource round;
            CommitScope scope;
            lock (gate)
            {
                if (nextRound is null)
                {
                    isRunning = false;
                    return;
                }

                (round, nextRound) = (nextRound, null);
                (scope, nextScope) = (nextScope, CommitScope.Flush);
            }

            await turn.WaitAsync();
            try
            {
                pool.Failure.ThrowIfLatched();
                await CommitAsync(scope);
                round.SetResult();
            }
            catch (Exception cause)
            {
                // Stable storage is in doubt: nothing is acknowledged from here on.
                pool.Failure.Latch(cause);
                round.SetException(pool.Failure.ToError(pool.Failure.First!));
                _ = round.Task.Exception; // Seen: a commit by the timer has nobody who waits for it.
            }
            finally
            {
                turn.Release();
            }
        }
    }

    async ValueTask CommitAsync(CommitScope scope)
    {
        foreach (var chunk in punchLater) await PunchAsync(chunk, 1);
        punchLater.Clear();
        var batches = await CaptureAsync(scope);
        if (pool.Options.Has(PlantedBugs.MapBeforeData))
        {
            await WriteMapAsync(batches);
            await FlushDataAsync();
        }
        else
        {
            await FlushDataAsync();
            await WriteMapAsync(batches);
        }

        foreach (var batch in batches) batch.Completed(pool);
        await ReleaseAsync();
        if (scope == CommitScope.Checksums || pool.Options.Has(PlantedBugs.ClearMarkersEarly)) await pool.Markers.ClearAsync(pool.Options.MarkerQuietTime);
    }

    async ValueTask<List<CommitBatch>> CaptureAsync(CommitScope scope)
    {
        List<Leaf> maps, checksums = [];
        lock (dirtGate)
        {
            (maps, changedMaps) = (changedMaps, []);
            if (scope == CommitScope.Checksums || changedChecksums.Count > pool.Cache.MaxDirtyLeaves / 2)
                (checksums, changedChecksums) = (changedChecksums, []);
        }

        var batches = new List<CommitBatch>();
        CommitBatch? batch = null;
        foreach (var leaf in pool.Options.Has(PlantedBugs.FlushWithoutMap) && scope == CommitScope.Flush ? [] : maps.Concat(checksums))
        {
            // Under the write lock no write is under way. Without it a first overwrite of a block that no commit has seen yet
            // could be half done, without a marker, while the captured leaf calls the block valid.
            await leaf.WriteLock.EnterAsync();
            try
            {
                if (batch is null) batches.Add(batch = new CommitBatch());
                batch.Capture(leaf, pool.Space, released);
            }
            finally
            {
                leaf.WriteLock.Exit();
            }

            if (!batch.IsFull) continue;
            batch.Seal(pool);
            batch = null;
        }

        batch?.Seal(pool);
        return batches;
    }

    async ValueTask FlushDataAsync()
    {
        // Read before the flush: what completes during it may not be covered.
        var written = Interlocked.Read(ref deviceWrites);
        if (written == flushedWrites || pool.Options.Has(PlantedBugs.SkipDataFlush)) return;
        await pool.Device.FlushAsync();
        flushedWrites = written;
        Interlocked.Increment(ref dataFlushes);
    }

    async ValueTask WriteMapAsync(List<CommitBatch> batches)
    {
        foreach (var batch in batches)
        {
            if (batch.LeafCount == 0) continue;
            await pool.Store.WriteAsync(
                batch.Entries,
                pool.Options.Has(PlantedBugs.MapNotDurable) ? Durability.Relaxed : Durability.Sync);
            Interlocked.Add(ref leavesWritten, batch.LeafCount);
            Interlocked.Increment(ref commits);
        }
    }

    async ValueTask ReleaseAsync()
    {
        if (released.Count == 0) return;
        var chunks = released.ToArray();
        released.Clear();
        Array.Sort(chunks);
        if (pool.Options.Has(PlantedBugs.PunchAfterReuse))
        {
            pool.Space.ReleaseQuarantined(chunks);
            punchLater.AddRange(chunks);
            return;
        }

        if (pool.Options.Has(PlantedBugs.ReuseBeforeCommit)) return;

        for (var first = 0; first < chunks.Length;)
        {
            var end = first + 1;
            while (end < chunks.Length && chunks[end] == chunks[end - 1] + 1) end++;
            await PunchAsync(chunks[first], end - first);
            first = end;
        }

        pool.Space.ReleaseQuarantined(chunks);
        Interlocked.Add(ref chunksFreed, chunks.Length);
    }

    async ValueTask PunchAsync(long chunk, long count)
    {
        try
        {
            await pool.Device.TrimAsync(
                pool.DeviceLba(chunk * MapLayout.ChunkBytes),
                count * MapLayout.ChunkBytes / pool.Device.Geometry.BlockSizeBytes);
        }
        catch (Exception cause) when (cause is BlockDeviceException or NotSupportedException)
        {
            // The space is free all the same: what is left in it is never read, because the next owner's blocks start invalid.
            Interlocked.Increment(ref punchFailures);
        }
    }
}
