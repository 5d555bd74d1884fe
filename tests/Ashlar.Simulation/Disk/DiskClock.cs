namespace Ashlar.Simulation;

/// <summary>
/// A clock that goes by what a disk does: a byte read or written takes its time, everything else none. Timers never fire.
/// </summary>
public sealed class DiskClock(SimulatedFileSystem disk, long bytesPerSecond) : TimeProvider
{
    static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => bytesPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Time since the start.</summary>
    public TimeSpan Elapsed => GetElapsedTime(0);

    public override long GetTimestamp() => disk.TransferredBytes;

    public override DateTimeOffset GetUtcNow() => Start + Elapsed;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Idle();

    sealed class Idle : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
