namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Decides how fast writers may be: never a cliff. From early on they wait in proportion to what the background owes, measured
/// against what it has been seen to do, so that they meet its speed; a stop comes last.
/// </summary>
sealed class Backpressure(KeyValueOptions options)
{
    /// <summary>Assumed of a background that nobody has seen at work yet.</summary>
    const double UnknownBytesPerSecond = 64 << 20;

    /// <summary>
    /// Taken for what collection frees where it frees less, because it has little to gain or waits for merges: so long as space lasts,
    /// nobody is slowed to a standstill for it.
    /// </summary>
    const double LeastCollectedBytesPerSecond = 1 << 20;

    readonly WritePacer pacer = new(options.TimeProvider);
    readonly Throughput inflow = new(options.TimeProvider);
    long inflowBytes;
    WriteDebt debt = WriteDebt.None;
    double memTableShare;
    double delay;
    long slowDowns;
    long slowTicks;
    long spaceSlowTicks;
    bool owesForSpace;
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
    public TimeSpan DelayPerMebibyte => TimeSpan.FromSeconds(Math.Min(3600, Volatile.Read(ref delay) * (1 << 20)));

    /// <summary>Groups of writes that were slowed down, and for how long in sum.</summary>
    public (long Count, TimeSpan Time) SlowDowns => (Volatile.Read(ref slowDowns), new TimeSpan(Volatile.Read(ref slowTicks)));

    /// <summary>For how long of it for space.</summary>
    public TimeSpan SpaceSlowDownTime => new(Volatile.Read(ref spaceSlowTicks));

    /// <summary>Groups of writes that were stopped, and for how long in sum.</summary>
    public (long Count, TimeSpan Time) Stalls => (Volatile.Read(ref stalls), new TimeSpan(Volatile.Read(ref stallTicks)));

    double CollectRate =>
        Collecting.BytesPerSecond is > 0 and var rate ? Math.Max(rate, LeastCollectedBytesPerSecond) : UnknownBytesPerSecond;

    double FlushRate => Flushing.BytesPerSecond is > 0 and var rate ? rate : UnknownBytesPerSecond;

    double MergeRate => Merging.BytesPerSecond is > 0 and var rate ? rate * MemoryPerTableByte : UnknownBytesPerSecond;

    /// <summary>How long a writer has to wait before it asks again, with 0 bytes; zero: it may write.</summary>
    /// <param name="bytes">What it is about to write.</param>
    /// <param name="activeBytes">What the memtable that takes it holds.</param>
    public TimeSpan Owe(long bytes, long activeBytes)
    {
        CountInflow(bytes);
        var now = Debt;
        var share = now.MemTableShare((double)activeBytes / options.MemTableBytes);
        Volatile.Write(ref memTableShare, share);
        var perByte = Math.Max(
            WriteDebt.SecondsPerByte(share, FlushRate),
            WriteDebt.SecondsPerByte(Math.Max(now.LevelZero, now.Merges), MergeRate));
        var forSpace = WriteDebt.SecondsPerByte(now.Space.Share, CollectRate);
        owesForSpace = forSpace > perByte;
        perByte = Math.Max(perByte, forSpace);
        Volatile.Write(ref delay, perByte);
        return pacer.Owe(bytes, perByte);
    }

    public void CountSlowDown(TimeSpan time)
    {
        Volatile.Write(ref slowDowns, slowDowns + 1);
        Volatile.Write(ref slowTicks, slowTicks + time.Ticks);
        if (owesForSpace) Volatile.Write(ref spaceSlowTicks, spaceSlowTicks + time.Ticks);
    }

    public void CountStall(TimeSpan time)
    {
        Volatile.Write(ref stalls, stalls + 1);
        Volatile.Write(ref stallTicks, stallTicks + time.Ticks);
    }

    /// <summary>When writers will be stopped if everybody goes on as now; null if that is not in sight.</summary>
    public TimeSpan? TimeToStall()
    {
        var rate = inflow.BytesPerSecond;
        var now = Debt;
        var memory = options.MemTableBytes * WriteDebt.MostMemTables * (1 - Volatile.Read(ref memTableShare));
        var tables = options.MemTableBytes * (double)options.LevelZeroTables * (WriteDebt.MostLevelZero - WriteDebt.SlowLevelZero);
        var soonest = double.PositiveInfinity;
        if (rate > FlushRate) soonest = memory / (rate - FlushRate);
        // Merges count once level 0 is as large as starts one: below that nobody knows what they can do.
        if (rate > MergeRate && now.Bytes > 0)
            soonest = Math.Min(soonest, tables * (1 - Math.Max(now.LevelZero, now.Merges)) / (rate - MergeRate));
        return soonest < TimeSpan.MaxValue.TotalSeconds ? TimeSpan.FromSeconds(Math.Max(0, soonest)) : null;
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
