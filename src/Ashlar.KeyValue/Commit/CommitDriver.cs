using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// The thread that leads groups whose members do not block, or all sleep; it is started for the first of them. Callers'
/// continuations never run on it.
/// </summary>
sealed class CommitDriver(CommitQueue queue, string name) : IDisposable
{
    const int Idle = 0, HasGroup = 1;

    readonly WaitWord signal = new();
    CommitGroup? given;
    Thread? thread;
    bool isStopping;

    /// <summary>Whether it has a group. Guarded by the queue's gate, under which it is set.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Gives it the group that made it busy.</summary>
    public void Lead(CommitGroup group)
    {
        given = group;
        signal.Value = HasGroup;
        if (thread is null)
        {
            thread = new Thread(Run) { IsBackground = true, Name = $"commit {name}" };
            thread.Start();
        }
        else
        {
            signal.WakeAll();
        }
    }

    /// <summary>Ends the thread. Nothing is given to it any more, and it has nothing.</summary>
    public void Dispose()
    {
        if (thread is null) return;
        Volatile.Write(ref isStopping, true);
        signal.Value = HasGroup;
        signal.WakeAll();
        thread.Join();
    }

    void Run()
    {
        while (true)
        {
            signal.WaitWhile(Idle);
            signal.Value = Idle;
            if (Volatile.Read(ref isStopping)) return;
            var group = given;
            while (group is not null)
            {
                queue.Lead(group, own: null);
                group = queue.NextForDriver();
            }
        }
    }
}
