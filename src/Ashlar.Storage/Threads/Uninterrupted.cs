namespace Ashlar.Storage;

/// <summary>
/// Locks and waits of work that must not end in the middle because somebody interrupts the thread: a caller's thread may lead the
/// writes of others, and what it leaves half done is theirs. The interruption is kept for the thread's next wait that is its own.
/// </summary>
public static class Uninterrupted
{
    [ThreadStatic]
    static bool isPending;

    /// <summary>Enters a lock as <c>lock</c> does; <c>using</c> leaves it.</summary>
    public static Lock.Scope Hold(this Lock gate)
    {
        for (var wasInterrupted = false; ; wasInterrupted = true)
        {
            try
            {
                var scope = gate.EnterScope();
                if (wasInterrupted) Thread.CurrentThread.Interrupt();
                return scope;
            }
            catch (ThreadInterruptedException)
            {
                // The next round remembers it.
            }
        }
    }

    /// <summary>The same for an object that is also waited on.</summary>
    public static Scope Enter(object monitor)
    {
        for (var wasInterrupted = false; ; wasInterrupted = true)
        {
            try
            {
                Monitor.Enter(monitor);
                if (wasInterrupted) Thread.CurrentThread.Interrupt();
                return new Scope(monitor);
            }
            catch (ThreadInterruptedException)
            {
                // The next round remembers it.
            }
        }
    }

    /// <summary>
    /// Waits as <see cref="Monitor.Wait(object, TimeSpan)"/> does, where whoever is woken looks anew. <see cref="Restore"/> must follow
    /// when the waiting is over.
    /// </summary>
    public static void Wait(object monitor, TimeSpan? longest = null)
    {
        try
        {
            Monitor.Wait(monitor, longest ?? Timeout.InfiniteTimeSpan);
        }
        catch (ThreadInterruptedException)
        {
            isPending = true; // Not raised again at once: the next wait would end at once, too.
        }
    }

    /// <summary>Waits until a thread has ended.</summary>
    public static void Join(Thread thread)
    {
        ArgumentNullException.ThrowIfNull(thread);
        for (var wasInterrupted = false; ; wasInterrupted = true)
        {
            try
            {
                thread.Join();
                if (wasInterrupted) Thread.CurrentThread.Interrupt();
                return;
            }
            catch (ThreadInterruptedException)
            {
                // The next round remembers it.
            }
        }
    }

    /// <summary>What was kept from the thread by <see cref="Wait"/>, its next wait gets.</summary>
    public static void Restore()
    {
        if (!isPending) return;
        isPending = false;
        Thread.CurrentThread.Interrupt();
    }

    /// <summary>An object's lock that is held.</summary>
    public readonly ref struct Scope
    {
        readonly object monitor;

        internal Scope(object monitor) => this.monitor = monitor;

        /// <summary>Leaves the lock.</summary>
        public void Dispose() => Monitor.Exit(monitor);
    }
}
