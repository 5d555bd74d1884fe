namespace Ashlar.Storage;

/// <summary>
/// A lock that may be held over I/O. Free: taken at once, without allocating. Held: waiters queue and are served in order, each
/// woken on the data plane's own threads, so that the one who leaves is not delayed.
/// </summary>
public sealed class AsyncLock
{
    readonly Lock gate = new();
    Queue<SharedCompletion>? waiters;
    bool isHeld;

    /// <summary>Whether somebody holds it.</summary>
    public bool IsHeld => Volatile.Read(ref isHeld);

    /// <summary>Whether somebody waits for it.</summary>
    public bool HasWaiters
    {
        get
        {
            using (gate.Hold()) return waiters is { Count: > 0 };
        }
    }

    /// <summary>Takes the lock; pair it with <see cref="Exit"/>.</summary>
    public ValueTask EnterAsync()
    {
        SharedCompletion? waiter = null;
        using (gate.Hold())
        {
            if (!isHeld) isHeld = true;
            else (waiters ??= new Queue<SharedCompletion>()).Enqueue(waiter = new SharedCompletion());
        }

        return waiter?.Task ?? ValueTask.CompletedTask;
    }

    /// <summary>Hands the lock to the next in line, or frees it.</summary>
    public void Exit()
    {
        SharedCompletion? next = null;
        using (gate.Hold())
        {
            Invariant.Require(isHeld);
            if (waiters is null || !waiters.TryDequeue(out next)) isHeld = false;
        }

        next?.SetResult();
    }
}
