using Ashlar.Storage;

namespace Ashlar.Nvme;

/// <summary>
/// Notices that nothing is heard of a host for as long as it has said (Keep Alive Timeout, NVM Express Base 2.0, 3.9). Any command counts,
/// on whatever queue.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="expired">Called once nothing was heard for too long.</param>
/// <param name="unasked">The time where the host names none; zero for no limit.</param>
sealed class KeepAlive(TimeProvider time, Action expired, TimeSpan unasked) : IDisposable
{
    /// <summary>The granularity of the timeout, in units of 100 ms.</summary>
    public const ushort GranularityUnits = 10;

    // A host sends at half of the time, but a busy machine may be late.
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    readonly Lock gate = new();
    TimeSpan timeout; // Zero is none.
    long heardAt;
    ITimer? timer;
    bool isDisposed;

    /// <summary>What the host has asked for, in milliseconds.</summary>
    public uint Milliseconds { get; private set; }

    public void Set(uint milliseconds)
    {
        lock (gate)
        {
            if (isDisposed) return;
            Milliseconds = milliseconds;
            timeout = milliseconds == 0 ? unasked : TimeSpan.FromMilliseconds(milliseconds) + Grace;
            Heard();
            timer ??= WorkerClock.For(time).CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            timer.Change(timeout == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : timeout, Timeout.InfiniteTimeSpan);
        }
    }

    public void Heard() => Volatile.Write(ref heardAt, time.GetTimestamp());

    public void Dispose()
    {
        lock (gate)
        {
            isDisposed = true;
            timer?.Dispose();
        }
    }

    void Look()
    {
        lock (gate)
        {
            if (isDisposed || timeout == TimeSpan.Zero) return;
            var left = timeout - time.GetElapsedTime(Volatile.Read(ref heardAt));
            if (left > TimeSpan.Zero)
            {
                timer!.Change(left, Timeout.InfiniteTimeSpan);
                return;
            }
        }
        expired();
    }
}
