using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Gives space back, off the path of commits: first to the device, by punching holes, then to the pool, to be given out again.
/// </summary>
/// <remarks>
/// Order: a chunk comes here when the leaf without it is durable; it is punched; then it is free. Free before punched would let the
/// punch erase what its next owner has written. Crash in between: the chunk is free, though perhaps not punched.
/// A file system lets nobody write to a file while it punches it, and waits for what is being written back there. So pieces are small, with
/// pauses between them, as long as nobody waits for the space.
/// </remarks>
class Reclaimer : IDisposable
{
    // One call of the device at the most; other requests go between, for some times as long as it took.
    const long MaxRunChunks = 256, PauseFactor = 3;

    // With more of them waiting there is no pause: their list takes memory.
    const int ManyChunks = 1 << 20;

    static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(1), LongestPause = TimeSpan.FromMilliseconds(50);

    const long NoLeftovers = -1;

    readonly IBlockDevice device;
    readonly ChunkSpace space;
    readonly PoolEvents events;
    readonly FailureLatch failure;
    readonly SerialWorker worker;
    readonly Lock gate = new();
    readonly AutoResetEvent hurry = new(initialState: false);
    List<long> waiting = [];
    SharedCompletion? waitingFreed; // Of those who wait for what is waiting, and for what is being freed.
    SharedCompletion? beingFreed;
    SharedCompletion? idle;
    bool isFreeing;
    long nextLeftover = NoLeftovers;
    bool isWorking;
    TimeSpan owedPause;
    volatile bool isEnding;
    long chunksFreed, punchFailures;

    public Reclaimer(IBlockDevice device, ChunkSpace space, PoolEvents events, FailureLatch failure, string pool)
    {
        (this.device, this.space, this.events, this.failure) = (device, space, events, failure);
        worker = new SerialWorker(() =>
        {
            Run();
            return default;
        });
    }

    public long ChunksFreed => Interlocked.Read(ref chunksFreed);

    public long PunchFailures => Interlocked.Read(ref punchFailures);

    /// <summary>Takes over quarantined chunks that no durable leaf owns any more.</summary>
    public virtual void Add(List<long> chunks)
    {
        lock (gate)
        {
            waiting.AddRange(chunks);
            isWorking = true;
        }

        worker.Wake();
    }

    /// <summary>
    /// Looks through all free space, from its front, for what a crash left in it: written but never committed, or let go of but not
    /// punched. It would never be read, but it would take space of the file system below.
    /// </summary>
    public void PunchLeftovers()
    {
        lock (gate)
        {
            nextLeftover = 0;
            isWorking = true;
        }

        worker.Wake();
    }

    /// <summary>Whether somebody waits for space to become free.</summary>
    public bool HasWaiters
    {
        get
        {
            lock (gate) return beingFreed is not null || waitingFreed is not null;
        }
    }

    /// <summary>Waits until what was added before the call is free, or the piece of left-overs that is just being punched.</summary>
    /// <remarks>Commits may go on adding; batches are freed in the order in which they were added.</remarks>
    public ValueTask DrainAsync()
    {
        lock (gate)
        {
            if (isEnding) return ValueTask.CompletedTask;
            hurry.Set();
            if (waiting.Count > 0) return (waitingFreed ??= new SharedCompletion()).Task;
            return isFreeing ? (beingFreed ??= new SharedCompletion()).Task : ValueTask.CompletedTask;
        }
    }

    /// <summary>Waits until nothing is left to do, the left-overs of a crash included.</summary>
    public ValueTask WaitAsync()
    {
        lock (gate)
        {
            if (!isWorking || isEnding) return ValueTask.CompletedTask;
            hurry.Set();
            return (idle ??= new SharedCompletion()).Task;
        }
    }

    /// <summary>Frees what was added, leaves the rest of the left-overs to the next unclean start, and ends the thread.</summary>
    public void Dispose()
    {
        isEnding = true;
        hurry.Set();
        worker.Dispose();
        hurry.Dispose();
    }

    /// <summary>Punches, then frees.</summary>
    protected virtual void Free(long[] chunks)
    {
        for (var first = 0; first < chunks.Length;)
        {
            var end = first + 1;
            while (end < chunks.Length && chunks[end] == chunks[end - 1] + 1 && end - first < MaxRunChunks) end++;
            var began = Stopwatch.GetTimestamp();
            Punch(chunks[first], end - first);
            space.ReleaseQuarantined(chunks.AsSpan(first, end - first));
            Interlocked.Add(ref chunksFreed, end - first);
            first = end;
            if (first < chunks.Length) Pause(Stopwatch.GetElapsedTime(began));
        }
    }

    /// <summary>Punches a hole where the chunks lie.</summary>
    [SuppressMessage(
        "Design", "CA1031", Justification = "The space is free all the same; the device says to the next request what ails it.")]
    protected void Punch(long chunk, long count)
    {
        try
        {
            device.TrimAsync(
                new Lba(chunk * MapLayout.ChunkBytes / device.Geometry.BlockSizeBytes),
                count * MapLayout.ChunkBytes / device.Geometry.BlockSizeBytes).AsTask().GetAwaiter().GetResult();
        }
        catch (Exception cause)
        {
            // What is left in it is never read, because the next owner's blocks start invalid.
            Interlocked.Increment(ref punchFailures);
            space.NoteUnpunched(chunk, count);
            events.ReportOnce(
                PoolEventKind.Reclaim,
                PoolEventSeverity.Warning,
                "punch",
                $"freed space cannot be given back to {device.Name}, which stays as large as it is: {cause.Message}",
                cause: cause);
        }
    }

    // Pieces may be shorter than what the system can wait: what they are owed adds up.
    void Pause(TimeSpan worked)
    {
        owedPause += worked * PauseFactor;
        if (owedPause < ShortestPause) return;
        var pause = owedPause < LongestPause ? owedPause : LongestPause;
        owedPause = TimeSpan.Zero;
        lock (gate)
        {
            if (isEnding || idle is not null || beingFreed is not null || waitingFreed is not null || waiting.Count > ManyChunks) return;
        }

        hurry.WaitOne(pause);
    }

    [SuppressMessage("Design", "CA1031", Justification = "It latches the pool and must not end the process.")]
    void Run()
    {
        while (true)
        {
            List<long> batch;
            SharedCompletion? nowIdle = null;
            bool isDone;
            lock (gate)
            {
                (batch, waiting) = (waiting, []);
                isDone = batch.Count == 0 && (nextLeftover == NoLeftovers || isEnding);
                (beingFreed, waitingFreed) = (waitingFreed, null);
                isFreeing = !isDone;
                if (isDone) (isWorking, nowIdle, idle) = (false, idle, null);
            }

            nowIdle?.SetResult();
            if (isDone) return;
            try
            {
                if (batch.Count > 0) Free([.. batch.Order()]);
                else PunchNextLeftover();
            }
            catch (Exception broken)
            {
                // Never by the device: a broken invariant. Nothing may be given out any more.
                failure.Latch(broken);
                isEnding = true;
            }

            SharedCompletion? nowFreed;
            lock (gate) (nowFreed, beingFreed, isFreeing) = (beingFreed, null, false);
            nowFreed?.SetResult();
        }
    }

    // The run is taken while it is punched, as if it were in quarantine: a writer that finds nothing else waits for it.
    void PunchNextLeftover()
    {
        var run = space.QuarantineFreeRun(nextLeftover, MaxRunChunks);
        if (run.Count > 0)
        {
            var began = Stopwatch.GetTimestamp();
            Punch(run.First, run.Count);
            space.ReleaseQuarantined([.. Enumerable.Range(0, (int)run.Count).Select(i => run.First + i)]);
            Pause(Stopwatch.GetElapsedTime(began));
        }

        lock (gate) nextLeftover = run.Count == 0 ? NoLeftovers : run.First + run.Count;
    }
}
