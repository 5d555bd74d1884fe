using Ashlar.Storage;

namespace Ashlar.KeyValue.Commit;

/// <summary>
/// The thread that leads groups whose members do not block, or all sleep; it is started for the first of them. Callers'
/// continuations never run on it.
/// </summary>
sealed class CommitDriver(CommitQueue queue, string name) : IDisposable
{
    const int Asleep = 0, Called = 1;

    readonly WaitWord signal = new();
    Thread? thread;
    bool isStopping;

    /// <summary>Whether it was called and has not found that there is nothing to do. Guarded by the queue's gate.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Lets it look for groups; call it when that has made it busy.</summary>
    public void Wake()
    {
        signal.Value = Called;
        if (thread is not null) signal.WakeAll();
        else if (!TryStart()) LeadAll(); // The write is queued already, and is not to fail now.
    }

    /// <summary>Ends the thread. It is not called any more.</summary>
    public void Dispose()
    {
        if (thread is null) return;
        Volatile.Write(ref isStopping, true);
        signal.Value = Called;
        signal.WakeAll();
        Uninterrupted.Join(thread);
    }

    // Where the process may have no more threads, whoever calls does the work himself.
    bool TryStart()
    {
        // Known before it runs: as soon as it has found nothing to do the next caller would start another.
        thread = new Thread(Run) { IsBackground = true, Name = $"commit {name}" };
        try
        {
            thread.Start();
            return true;
        }
        catch (OutOfMemoryException)
        {
            thread = null;
            return false;
        }
    }

    void LeadAll()
    {
        while (queue.NextForDriver() is { } group) queue.Lead(group, own: null);
    }

    void Run()
    {
        Invariant.Require(thread == Thread.CurrentThread); // A second one would take the other's calls.
        while (true)
        {
            signal.WaitWhile(Asleep);
            signal.Value = Asleep;
            if (Volatile.Read(ref isStopping)) return;
            LeadAll();
        }
    }
}
