using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

/// <summary>
/// Has the disk begin with what a streaming writer writes while it writes, so that the next flush, whoever asks for it,
/// does not wait for all of it.
/// </summary>
/// <remarks>
/// <para>A region of the file is begun with when all of its pieces have been written to their ends. Writes in order do that
/// once; small writes here and there hardly ever do, so what is written over and over again is not sent to the disk each
/// time. Nor is a stream that goes round in a small place: a region that was begun with rests until about the next flush.</para>
/// <para>Only a hint: the table forgets a region when another one takes its place, and threads that meet in it may begin with
/// a region too late, twice, or not at all. What fails is found by the next flush.</para>
/// </remarks>
/// <param name="file">What is written.</param>
/// <param name="clock">By which regions rest.</param>
sealed class WriteBack(IFile file, TimeProvider clock) : IThreadPoolWorkItem
{
    /// <summary>As large as a streaming writer's share of one flush may be, and worth a request of the disk.</summary>
    public const int RegionBytes = 4 << 20;

    /// <summary>Who flushes more seldom than that has no use for what is written early: the kernel itself begins.</summary>
    public static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(7.5);

    /// <summary>How long a region rests at most. Of what is overwritten meanwhile the next flush waits for one round.</summary>
    public static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(1);

    const int PieceBytes = RegionBytes / 64; // One bit of a mask each.
    const int TrackedRegions = 64; // As many streams as there may be, and the regions where the writes of one overtake each other.
    const int MaxWaiting = 1024; // A writer that is faster than the disk: the rest is left to the kernel.
    const int RestingRegions = 1024; // As many as the memory of a machine lets be begun with in that time: 4 GiB.
    const ulong AllPieces = ulong.MaxValue;

    readonly TrackedRegion[] regions = new TrackedRegion[TrackedRegions];
    readonly Lock gate = new();
    readonly Queue<long> waiting = new(); // Under the gate, as the two below.
    readonly (long Number, long BegunAt)[] resting = new (long, long)[RestingRegions];
    long flushIntervalTicks;
    bool isRunning;
    volatile bool isOff;

    /// <summary>See <see cref="ICachingDevice.FlushInterval"/>.</summary>
    public TimeSpan FlushInterval
    {
        get => new(Volatile.Read(ref flushIntervalTicks));
        set => Volatile.Write(ref flushIntervalTicks, value.Ticks);
    }

    /// <summary>A range has been written. Safe for concurrent callers, without a lock.</summary>
    public void NoteWrite(long offsetBytes, long lengthBytes)
    {
        if (FlushInterval > LongestInterval) return;
        var piece = offsetBytes / PieceBytes;
        var end = (offsetBytes + lengthBytes) / PieceBytes;
        while (piece < end)
        {
            var region = Math.DivRem(piece, 64, out var first);
            var count = (int)Math.Min(end - piece, 64 - first);
            NotePieces(region, (AllPieces >> (64 - count)) << (int)first);
            piece += count;
        }
    }

    /// <summary>Begins with nothing any more.</summary>
    public void Stop()
    {
        isOff = true;
        lock (gate) waiting.Clear();
    }

    // One at a time for a file: the kernel makes the call wait while the queue of the disk is full, and it must not occupy
    // more than one of the threads that read.
    void IThreadPoolWorkItem.Execute()
    {
        while (TryTake(out var offsetBytes, out var lengthBytes))
        {
            try
            {
                file.StartWriteBack(offsetBytes, lengthBytes);
            }
            catch (Exception e) when (e is StorageException or ObjectDisposedException)
            {
                isOff = true;
            }
        }
    }

    void NotePieces(long region, ulong pieces)
    {
        ref var tracked = ref regions[region % TrackedRegions];
        var number = region + 1; // 0 is a place that is free.
        if (Volatile.Read(ref tracked.Number) != number)
        {
            Volatile.Write(ref tracked.Pieces, pieces);
            Volatile.Write(ref tracked.Number, number);
            if (pieces != AllPieces) return;
        }
        else if ((Interlocked.Or(ref tracked.Pieces, pieces) | pieces) != AllPieces)
        {
            return;
        }

        if (Interlocked.CompareExchange(ref tracked.Number, 0, number) == number) Begin(region);
    }

    void Begin(long region)
    {
        lock (gate)
        {
            if (isOff || waiting.Count == MaxWaiting || IsResting(region)) return;
            waiting.Enqueue(region);
            resting[region % RestingRegions] = (region + 1, clock.GetTimestamp());
            if (isRunning) return;
            isRunning = true;
        }
        WorkerThreads.Blocking.Post(this);
    }

    bool IsResting(long region)
    {
        var (number, begunAt) = resting[region % RestingRegions];
        if (number != region + 1) return false;
        var rested = clock.GetElapsedTime(begunAt);
        return rested < LongestRest && rested < FlushInterval;
    }

    // Neighbours that came one after the other are one request.
    bool TryTake(out long offsetBytes, out long lengthBytes)
    {
        (offsetBytes, lengthBytes) = (0, 0);
        lock (gate)
        {
            Invariant.Require(isRunning); // By this worker, the only one.
            if (isOff || !waiting.TryDequeue(out var first))
            {
                isRunning = false;
                return false;
            }

            var end = first + 1;
            while (waiting.TryPeek(out var next) && next == end)
            {
                waiting.Dequeue();
                end++;
            }

            offsetBytes = first * RegionBytes;
            lengthBytes = (end - first) * RegionBytes;
            return true;
        }
    }

    struct TrackedRegion
    {
        public long Number;
        public ulong Pieces;
    }
}
