using Ashlar.KeyValue.MemTables;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Holds a writer back in proportion to what waits to be written or merged (<see cref="Backpressure"/>), and stops it while there is no
/// room at all.
/// </summary>
sealed class WriterBrake(BackgroundLanes lanes, Backpressure pressure, KeyValueOptions options)
{
    /// <summary>Returns when the writer may go on.</summary>
    /// <param name="bytes">What it is about to write.</param>
    /// <param name="active">The memtable that is being written.</param>
    /// <param name="needsMemTable">Whether it needs a new one.</param>
    /// <exception cref="Ashlar.Storage.StorageException">The background cannot make room: the disk is full.</exception>
    public void WaitForRoom(long bytes, MemTable active, bool needsMemTable)
    {
        if (pressure.Owe(bytes, active.UsedBytes) is var wait && wait > TimeSpan.Zero) SlowDown(wait, active);
        if (FindBlocking(needsMemTable) is not null) Stop(needsMemTable);
    }

    void SlowDown(TimeSpan wait, MemTable active)
    {
        var begun = options.TimeProvider.GetTimestamp();
        // What cannot go on will not catch up either; whoever comes to the stop is told why.
        while (wait > TimeSpan.Zero && lanes.WaitBriefly(wait)) wait = pressure.Owe(0, active.UsedBytes);
        pressure.CountSlowDown(options.TimeProvider.GetElapsedTime(begun));
    }

    void Stop(bool needsMemTable)
    {
        var begun = options.TimeProvider.GetTimestamp();
        lanes.WaitFor(() => FindBlocking(needsMemTable));
        pressure.CountStall(options.TimeProvider.GetElapsedTime(begun));
    }

    /// <summary>The work that a writer has to wait for; null if it may go on.</summary>
    BackgroundLane? FindBlocking(bool needsMemTable)
    {
        var debt = pressure.Debt;
        if (needsMemTable && debt.MemTables >= WriteDebt.MostMemTables) return lanes.Flushes;
        return debt.LevelZero >= 1 ? lanes.Merges : null;
    }
}
