using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>
/// Lets the requests of all clients of a volume through no faster than its limits, in the order in which they came. Whoever is early
/// waits without a thread, and goes on on <see cref="WorkerThreads.Completions"/>.
/// </summary>
sealed class RateLimiter : IDisposable
{
    readonly Lock gate = new();
    readonly TimeProvider clock;
    readonly LinkedList<Waiter> waiting = new(); // Under the gate, as the buckets are. While somebody waits nobody overtakes.
    readonly ITimer timer; // Holds nothing while it is not set.
    TokenBucket requests;
    TokenBucket bytes;

    /// <summary>A limiter that lets everything through.</summary>
    public RateLimiter(TimeProvider clock)
    {
        this.clock = clock;
        timer = WorkerClock.For(clock).CreateTimer(
            static limiter => ((RateLimiter)limiter!).OnTime(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Requests that wait.</summary>
    public int WaitingCount
    {
        get
        {
            using (gate.Hold()) return waiting.Count;
        }
    }

    /// <summary>Sets other limits, with full buckets, also for those who wait.</summary>
    public void Set(RateLimits limits)
    {
        using (gate.Hold())
        {
            requests = new TokenBucket(limits.Iops, clock.TimestampFrequency);
            bytes = new TokenBucket(limits.BytesPerSecond, clock.TimestampFrequency);
            LetThrough();
        }
    }

    /// <summary>Lets a request through if it need not wait.</summary>
    public bool TryPass(long lengthBytes)
    {
        using (gate.Hold()) return waiting.Count == 0 && TryTake(lengthBytes);
    }

    /// <summary>Lets a request through when its turn has come.</summary>
    /// <exception cref="OperationCanceledException">One of the tokens fired while it waited; nothing is taken.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask PassAsync(long lengthBytes, CancellationToken commandAborted, CancellationToken clientLeft)
    {
        var waiter = new Waiter(this, lengthBytes);
        using (gate.Hold())
        {
            if (waiting.Count == 0 && TryTake(lengthBytes)) return;
            waiting.AddLast(waiter.Place);
            if (waiting.Count == 1) SetTimer();
        }

        // Not disposed of, which may wait for a callback that runs: one that comes too late finds that the turn has come.
        var onAbort = commandAborted.UnsafeRegister(Waiter.OnCancelled, waiter);
        var onLeaving = clientLeft.UnsafeRegister(Waiter.OnCancelled, waiter);
        try
        {
            await waiter.Turn.ConfigureAwait(false);
        }
        finally
        {
            onAbort.Unregister();
            onLeaving.Unregister();
        }
    }

    public void Dispose() => timer.Dispose();

    void OnTime()
    {
        using (gate.Hold()) LetThrough();
    }

    void GiveUp(Waiter waiter, CancellationToken token)
    {
        using (gate.Hold())
        {
            if (waiter.Place.List is null) return;
            waiting.Remove(waiter.Place);
            waiter.GiveUp(token);
            LetThrough(); // Others may have waited behind this one only.
        }
    }

    // Under the gate. Ending a wait runs nobody's code.
    void LetThrough()
    {
        while (waiting.First is { } first && TryTake(first.Value.LengthBytes))
        {
            waiting.RemoveFirst();
            first.Value.Enter();
        }
        if (waiting.Count > 0) SetTimer();
    }

    bool TryTake(long lengthBytes)
    {
        var now = clock.GetTimestamp();
        if (TicksUntil(lengthBytes, now) > 0) return false;
        requests.Take(1, now);
        bytes.Take(lengthBytes, now);
        return true;
    }

    double TicksUntil(long lengthBytes, long now) => Math.Max(requests.TicksUntil(1, now), bytes.TicksUntil(lengthBytes, now));

    void SetTimer()
    {
        var seconds = TicksUntil(waiting.First!.Value.LengthBytes, clock.GetTimestamp()) / clock.TimestampFrequency;
        // A day at most, which every timer takes, then it is looked at again; and rounded up, or it would be looked at too soon.
        var after = TimeSpan.FromTicks((long)Math.Ceiling(Math.Min(seconds, 86_400) * TimeSpan.TicksPerSecond));
        timer.Change(after, Timeout.InfiniteTimeSpan);
    }

    sealed class Waiter : QueuedRequest
    {
        public static readonly Action<object?, CancellationToken> OnCancelled = static (state, token) =>
        {
            var waiter = (Waiter)state!;
            waiter.limiter.GiveUp(waiter, token);
        };

        readonly RateLimiter limiter;

        public Waiter(RateLimiter limiter, long lengthBytes)
        {
            this.limiter = limiter;
            LengthBytes = lengthBytes;
            Place = new LinkedListNode<Waiter>(this);
        }

        public long LengthBytes { get; }

        public LinkedListNode<Waiter> Place { get; }
    }
}
