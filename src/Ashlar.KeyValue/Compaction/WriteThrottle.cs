using Ashlar.KeyValue.MemTables;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Decides how fast writers may be: never a cliff. From early on they wait in proportion to what the background is behind
/// (<see cref="WriteDebt"/>), measured against what it has been seen to do, so that they meet its speed; a stop comes last.
/// One writer asks at a time; anybody may read what it says of itself.
/// </summary>
sealed class WriteThrottle(KeyValueOptions options)
{
    /// <summary>Assumed of a background that nobody has seen at work yet.</summary>
    const double UnknownBytesPerSecond = 64 << 20;

    /// <summary>
    /// Taken for what collection frees where it frees less, because it has little to gain or waits for merges: so long as space lasts,
    /// nobody is slowed to a standstill for it.
    /// </summary>
    const double MinCollectedBytesPerSecond = 1 << 20;

    /// <summary>Less is carried over to the next write: sleeping is not more precise than that.</summary>
    static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);

    /// <summary>After so long it is looked again at how far the background is behind.</summary>
    static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(10);

    readonly TimeProvider clock = options.TimeProvider;
    readonly Throughput inflow = new(options.TimeProvider);
    long inflowBytes;
    WriteDebt debt = WriteDebt.None;
    double memTableShare;
    double secondsPerByte;
    double unpaidBytes;
    long lastCharge = options.TimeProvider.GetTimestamp();
    bool isForSpace;
    long slowDowns;
    long slowTicks;
    long spaceSlowTicks;
    long stallTicks;
    long stalls;

    /// <summary>Bytes of memtables that became tables per second of that work.</summary>
    public Throughput Flushing { get; } = new(options.TimeProvider);

    /// <summary>Bytes of level 0 that went down per second of merging, at whatever level.</summary>
    public Throughput Merging { get; } = new(options.TimeProvider);

    /// <summary>Bytes of files that collection gives back per second of merging, while anything is collected.</summary>
    public Throughput Collecting { get; } = new(options.TimeProvider);

    /// <summary>Bytes in a memtable for one byte of the table that it becomes.</summary>
    public double MemoryPerTableByte { get; set; } = 1;

    public WriteDebt Debt
    {
        get => Volatile.Read(ref debt);
        set => Volatile.Write(ref debt, value);
    }

    /// <summary>What each written MiB has to wait for at present.</summary>
    public TimeSpan DelayPerMebibyte => TimeSpan.FromSeconds(Math.Min(3600, Volatile.Read(ref secondsPerByte) * (1 << 20)));

    /// <summary>Groups of writes that were slowed down, and for how long in sum.</summary>
    public (long Count, TimeSpan Time) SlowDowns => (Volatile.Read(ref slowDowns), new TimeSpan(Volatile.Read(ref slowTicks)));

    /// <summary>For how long of it for space.</summary>
    public TimeSpan SpaceSlowDownTime => new(Volatile.Read(ref spaceSlowTicks));

    /// <summary>Groups of writes that were stopped, and for how long in sum.</summary>
    public (long Count, TimeSpan Time) Stalls => (Volatile.Read(ref stalls), new TimeSpan(Volatile.Read(ref stallTicks)));

    double CollectRate =>
        Collecting.BytesPerSecond is > 0 and var rate ? Math.Max(rate, MinCollectedBytesPerSecond) : UnknownBytesPerSecond;

    double FlushRate => Flushing.BytesPerSecond is > 0 and var rate ? rate : UnknownBytesPerSecond;

    double MergeRate => Merging.BytesPerSecond is > 0 and var rate ? rate * MemoryPerTableByte : UnknownBytesPerSecond;

    /// <summary>Returns when the writer may go on.</summary>
    /// <param name="lanes">The background that it waits for.</param>
    /// <param name="bytes">What it is about to write.</param>
    /// <param name="active">The memtable that is being written.</param>
    /// <param name="needsMemTable">Whether it needs a new one.</param>
    /// <exception cref="Ashlar.Storage.StorageException">The background cannot make room: the disk is full.</exception>
    public void WaitForRoom(BackgroundLanes lanes, long bytes, MemTable active, bool needsMemTable)
    {
        if (Charge(bytes, active.UsedBytes) is var wait && wait > TimeSpan.Zero) SlowDown(lanes, wait, active);
        if (FindBlocking(lanes, needsMemTable) is not null) Stop(lanes, needsMemTable);
    }

    /// <summary>
    /// Counts bytes as written. Time pays for them, wherever it is spent.
    /// </summary>
    /// <param name="bytes">What a writer is about to write; 0 if it asks again after a wait.</param>
    /// <param name="activeBytes">What the memtable that takes it holds.</param>
    /// <returns>How long the writer has to wait before it asks again; zero: it may write.</returns>
    public TimeSpan Charge(long bytes, long activeBytes)
    {
        CountInflow(bytes);
        var perByte = UpdateDelay(activeBytes);
        var now = clock.GetTimestamp();
        var elapsed = clock.GetElapsedTime(lastCharge, now);
        lastCharge = now;
        if (perByte <= 0)
        {
            unpaidBytes = 0;
            return TimeSpan.Zero;
        }

        // A wait that took too long counts, up to a point: a pause of the writer is no credit.
        var credit = -LongestWait.TotalSeconds / perByte;
        unpaidBytes = Math.Max(credit, unpaidBytes - (elapsed.TotalSeconds / perByte)) + bytes;
        var seconds = unpaidBytes * perByte;
        if (seconds < ShortestWait.TotalSeconds) return TimeSpan.Zero;
        return seconds < LongestWait.TotalSeconds ? TimeSpan.FromSeconds(seconds) : LongestWait;
    }

    /// <summary>When writers will be stopped if everybody goes on as now; null if that is not in sight.</summary>
    public TimeSpan? TimeToStall()
    {
        var rate = inflow.BytesPerSecond;
        var now = Debt;
        var memory = options.MemTableBytes * WriteDebt.MaxMemTables * (1 - Volatile.Read(ref memTableShare));
        var tables = options.MemTableBytes * (double)options.LevelZeroTables * (WriteDebt.MaxLevelZero - WriteDebt.SlowLevelZero);
        var soonest = double.PositiveInfinity;
        if (rate > FlushRate) soonest = memory / (rate - FlushRate);
        // Merges count once level 0 is as large as starts one: below that nobody knows what they can do.
        if (rate > MergeRate && now.Bytes > 0)
            soonest = Math.Min(soonest, tables * (1 - Math.Max(now.LevelZero, now.Merges)) / (rate - MergeRate));
        return soonest < TimeSpan.MaxValue.TotalSeconds ? TimeSpan.FromSeconds(Math.Max(0, soonest)) : null;
    }

    double UpdateDelay(long activeBytes)
    {
        var now = Debt;
        var share = now.MemTableShare((double)activeBytes / options.MemTableBytes);
        Volatile.Write(ref memTableShare, share);
        var forWork = Math.Max(
            WriteDebt.SecondsPerByte(share, FlushRate),
            WriteDebt.SecondsPerByte(Math.Max(now.LevelZero, now.Merges), MergeRate));
        var forSpace = WriteDebt.SecondsPerByte(now.Space.Share, CollectRate);
        isForSpace = forSpace > forWork;
        var perByte = Math.Max(forWork, forSpace);
        Volatile.Write(ref secondsPerByte, perByte);
        return perByte;
    }

    void SlowDown(BackgroundLanes lanes, TimeSpan wait, MemTable active)
    {
        var begun = clock.GetTimestamp();
        // What cannot go on will not catch up either; whoever comes to the stop is told why.
        while (wait > TimeSpan.Zero && lanes.WaitBriefly(wait)) wait = Charge(0, active.UsedBytes);
        var ticks = clock.GetElapsedTime(begun).Ticks;
        Volatile.Write(ref slowDowns, slowDowns + 1);
        Volatile.Write(ref slowTicks, slowTicks + ticks);
        if (isForSpace) Volatile.Write(ref spaceSlowTicks, spaceSlowTicks + ticks);
    }

    void Stop(BackgroundLanes lanes, bool needsMemTable)
    {
        var begun = clock.GetTimestamp();
        lanes.WaitFor(() => FindBlocking(lanes, needsMemTable));
        Volatile.Write(ref stalls, stalls + 1);
        Volatile.Write(ref stallTicks, stallTicks + clock.GetElapsedTime(begun).Ticks);
    }

    // The work that a writer has to wait for; null if it may go on.
    BackgroundLane? FindBlocking(BackgroundLanes lanes, bool needsMemTable)
    {
        var now = Debt;
        if (needsMemTable && now.MemTables >= WriteDebt.MaxMemTables) return lanes.Flushes;
        return now.LevelZero >= 1 ? lanes.Merges : null;
    }

    // Ends a span of time with each sixteenth of a memtable.
    void CountInflow(long bytes)
    {
        inflowBytes += bytes;
        if (inflowBytes < options.MemTableBytes / 16) return;
        inflow.End(isDone: true);
        inflow.Begin(inflowBytes);
        inflowBytes = 0;
    }
}
