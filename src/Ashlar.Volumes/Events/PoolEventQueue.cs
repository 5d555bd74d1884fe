using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// Takes events to the observer, in order and on another thread: whoever meets something may hold locks that every writer needs, and
/// an observer that writes a log stalls for as long as nobody reads what is in front of it.
/// </summary>
/// <remarks>
/// What waits is bounded. An event that finds no room is counted, and in its place the observer gets how many there were, before
/// anything that came later. The failure of the pool always has room: there is but one.
/// </remarks>
sealed class PoolEventQueue : IAsyncDisposable
{
    const int MaxWaiting = 1024;

    readonly string pool;
    readonly Action<PoolEvent> observer;
    readonly SerialWorker worker;
    readonly Lock gate = new();
    readonly Queue<(PoolEvent? Event, SharedCompletion? Waiter)> waiting = new();
    int leftOut;
    bool isEnding;

    public PoolEventQueue(string pool, Action<PoolEvent> observer)
    {
        (this.pool, this.observer) = (pool, observer);
        worker = new SerialWorker(() =>
        {
            while (TryTake(out var next)) Deliver(next.Event, next.Waiter);
            return default;
        });
    }

    /// <summary>Returns at once. After <see cref="DisposeAsync"/> was called it does nothing.</summary>
    public void Add(PoolEvent each)
    {
        lock (gate)
        {
            if (isEnding) return;
            if (waiting.Count >= MaxWaiting && each.Kind != PoolEventKind.Failed)
            {
                leftOut++;
                return;
            }

            Enqueue((each, null));
        }
    }

    /// <summary>Waits until the observer has got everything that was added before the call.</summary>
    public ValueTask WaitAsync() => Wait(isLast: false);

    /// <summary>The same, and takes no more.</summary>
    public async ValueTask DisposeAsync()
    {
        await Wait(isLast: true);
        worker.Dispose();
    }

    ValueTask Wait(bool isLast)
    {
        var waiter = new SharedCompletion();
        lock (gate)
        {
            if (isEnding) return ValueTask.CompletedTask;
            Enqueue((null, waiter));
            isEnding = isLast;
        }

        return waiter.Task;
    }

    // Under the gate, so that nobody wakes a worker that has ended. What was left out comes first: it is older.
    void Enqueue((PoolEvent? Event, SharedCompletion? Waiter) entry)
    {
        if (leftOut > 0) waiting.Enqueue((TakeLeftOut(), null));
        waiting.Enqueue(entry);
        worker.Wake();
    }

    bool TryTake(out (PoolEvent? Event, SharedCompletion? Waiter) next)
    {
        lock (gate)
        {
            if (waiting.TryDequeue(out next)) return true;
            if (leftOut == 0) return false;
            next = (TakeLeftOut(), null);
            return true;
        }
    }

    PoolEvent TakeLeftOut()
    {
        var count = leftOut;
        leftOut = 0;
        return new PoolEvent(
            PoolEventKind.LeftOut,
            PoolEventSeverity.Warning,
            $"pool {pool}: {count} more events were left out here, because {MaxWaiting} waited to be written down");
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whoever reads the log has his own troubles; the pool goes on.")]
    void Deliver(PoolEvent? each, SharedCompletion? waiter)
    {
        try
        {
            if (each is not null) observer(each);
        }
        catch (Exception e)
        {
            Trace.TraceError($"{each!.Message}\nThis could not be reported: {e}"); // The next event may find it well again.
        }

        waiter?.SetResult();
    }
}
