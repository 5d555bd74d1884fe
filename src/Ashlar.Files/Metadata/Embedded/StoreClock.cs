using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// The time by which leases and periods go. It goes on with the timer of the process, whatever is done to the clock on the wall, and while
/// the store is closed by at most an hour. So a clock that went far ahead ends no lease and condemns nothing, and one that came back stops
/// nothing.
/// </summary>
/// <remarks>
/// It is written with other rows, once in a while: after a crash it is behind the last rows by that while at most. Time in which nothing
/// was written before a crash does not count: leases and periods are longer by it.
/// </remarks>
sealed class StoreClock
{
    static readonly TimeSpan SavedEvery = TimeSpan.FromMinutes(1), ClosedAtMost = TimeSpan.FromHours(1);

    readonly TimeProvider clock;
    readonly long openedAt;
    readonly DateTimeOffset start;
    long savedMicroseconds;

    /// <exception cref="CorruptDataException">The row is damaged.</exception>
    public StoreClock(KeyValueStore store, TimeProvider clock)
    {
        this.clock = clock;
        openedAt = clock.GetTimestamp();
        start = Wall;
        if (store.Get(MetadataKeys.Time) is { } row)
        {
            var reader = new RowReader(MetadataKeys.Time, row);
            var saved = reader.Time();
            reader.End();
            if (start < saved) start = saved;
            if (start > saved + ClosedAtMost) start = saved + ClosedAtMost;
        }

        savedMicroseconds = RowTime.ToMicroseconds(start) - RowTime.ToMicroseconds(DateTimeOffset.UnixEpoch + SavedEvery);
    }

    /// <summary>The clock on the wall: for times that are shown.</summary>
    public DateTimeOffset Wall => RowTime.Round(clock.GetUtcNow());

    /// <summary>The time by which leases and periods go.</summary>
    public DateTimeOffset Now => RowTime.Round(start + clock.GetElapsedTime(openedAt));

    /// <summary>A time of this clock as the clock on the wall will show it.</summary>
    public DateTimeOffset ToWall(DateTimeOffset time)
    {
        var behind = Wall - Now;
        return behind.Duration() < TimeSpan.FromSeconds(1) ? time : RowTime.Round(time + behind);
    }

    /// <summary>Adds the time to what is written, if it is time.</summary>
    public void AddTo(WriteBatch batch, bool always = false)
    {
        var now = RowTime.ToMicroseconds(Now);
        var saved = Volatile.Read(ref savedMicroseconds);
        var isDue = always || now - saved >= SavedEvery.TotalMicroseconds;
        if (isDue && Interlocked.CompareExchange(ref savedMicroseconds, now, saved) == saved)
            batch.Put(MetadataKeys.Time, new RowWriter(9).Int64(now).Written);
    }
}
