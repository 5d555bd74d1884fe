namespace Ashlar.Iscsi;

/// <summary>
/// Commands of a session that wait for data or run on other threads. Commands that end where they came in never enter.
/// </summary>
sealed class TaskSet
{
    /// <summary>More than the window: immediate commands come on top of it.</summary>
    public const int MaxTasks = CommandWindow.DefaultDepth + 32;

    const int EndedKept = 256;

    readonly Lock gate = new();
    readonly Dictionary<uint, IscsiTask> tasks = [];
    readonly Stack<IscsiTask> idle = new();
    readonly uint[] ended = new uint[EndedKept];
    int endedCount;
    IscsiTask? inHand; // What the connection's thread is about, which is in no other place.
    volatile bool hasAborted;

    /// <summary>Commands that wait or run.</summary>
    public int Count
    {
        get
        {
            lock (gate) return tasks.Count;
        }
    }

    /// <summary>Whether commands were aborted while they wait for data.</summary>
    public bool HasAborted => hasAborted;

    /// <summary>Whether an aborted command still runs, and an abort waits for it.</summary>
    public bool HasAbortedRunning
    {
        get
        {
            lock (gate) return tasks.Values.Any(static task => task.Runs && task.AbortedBy is not null);
        }
    }

    /// <summary>Commands that wait for data, or for room to ask for it.</summary>
    public int WaitingCount
    {
        get
        {
            lock (gate) return tasks.Values.Count(static task => !task.Runs);
        }
    }

    /// <summary>A command whose data has not come in time.</summary>
    public IscsiTask? FindOverdue(long nowMilliseconds)
    {
        lock (gate)
        {
            foreach (var task in tasks.Values)
                if (!task.Runs && task.DataDueAt is not 0 and var due && due < nowMilliseconds) return task;
            return null;
        }
    }

    /// <summary>A task to be filled. Connection's thread only.</summary>
    public IscsiTask Rent() => inHand = idle.TryPop(out var task) ? task : new IscsiTask();

    /// <summary>Takes a task back that ended on the connection's thread; others are left to the collector.</summary>
    public void Recycle(IscsiTask task)
    {
        inHand = null;
        task.End();
        if (idle.Count < CommandWindow.DefaultDepth) idle.Push(task);
    }

    public bool Contains(uint initiatorTaskTag)
    {
        lock (gate) return tasks.ContainsKey(initiatorTaskTag);
    }

    /// <summary>A command begins to wait for data. Connection's thread only.</summary>
    public void Wait(IscsiTask task)
    {
        inHand = null;
        lock (gate) tasks.Add(task.InitiatorTaskTag, task);
    }

    /// <summary>The command that waits for data under this tag.</summary>
    public IscsiTask? FindWaiting(uint initiatorTaskTag)
    {
        lock (gate) return tasks.TryGetValue(initiatorTaskTag, out var task) && !task.Runs ? task : null;
    }

    /// <summary>A command waits no longer. Connection's thread only.</summary>
    /// <returns>False when it was aborted in the meantime.</returns>
    public bool EndWait(IscsiTask task)
    {
        inHand = task;
        lock (gate)
        {
            tasks.Remove(task.InitiatorTaskTag);
            return task.AbortedBy is null;
        }
    }

    /// <summary>A command goes on after the connection's thread has left it, which calls this.</summary>
    public void Run(IscsiTask task)
    {
        inHand = null;
        lock (gate)
        {
            task.Runs = true;
            tasks[task.InitiatorTaskTag] = task;
        }
    }

    /// <summary>A command that ran has come to its end.</summary>
    /// <returns>Whether it is to be answered: it was not aborted.</returns>
    public bool EndRun(IscsiTask task)
    {
        TaskAbort? abort;
        lock (gate)
        {
            tasks.Remove(task.InitiatorTaskTag);
            abort = task.AbortedBy;
        }
        abort?.Settled();
        return abort is null;
    }

    /// <summary>
    /// Aborts what fits: commands that wait for data are dropped when it comes; commands that run give up what they wait for, and are
    /// waited for.
    /// </summary>
    /// <returns>How many were aborted.</returns>
    public int Abort(TaskAbort abort, Func<IscsiTask, bool> fits)
    {
        var count = 0;
        List<IscsiTask> running = [];
        lock (gate)
        {
            foreach (var task in tasks.Values)
            {
                if (task.AbortedBy is not null || !fits(task)) continue;
                task.AbortedBy = abort;
                if (task.Runs)
                {
                    abort.Add();
                    running.Add(task);
                }
                else
                {
                    hasAborted = true;
                }
                count++;
            }
        }
        // Without the lock, which whoever gives up takes. Commands that run elsewhere are never used for others.
        foreach (var task in running) task.Command.Abort();
        return count;
    }

    /// <summary>Takes out what was aborted while it waited. Connection's thread only, which alone may free the buffers.</summary>
    public List<IscsiTask> TakeAborted()
    {
        lock (gate)
        {
            hasAborted = false;
            var aborted = tasks.Values.Where(static task => task.AbortedBy is not null && !task.Runs).ToList();
            foreach (var task in aborted) tasks.Remove(task.InitiatorTaskTag);
            return aborted;
        }
    }

    /// <summary>
    /// Takes out all that waits, and what was in hand when the connection broke in the middle of it. Connection's thread only.
    /// </summary>
    public List<IscsiTask> TakeWaiting()
    {
        lock (gate)
        {
            var waiting = tasks.Values.Where(static task => !task.Runs).ToList();
            foreach (var task in waiting) tasks.Remove(task.InitiatorTaskTag);
            if (inHand is not null) waiting.Add(inHand);
            inHand = null;
            return waiting;
        }
    }

    /// <summary>Remembers a command that ended although data may still come for it. Connection's thread only.</summary>
    public void RememberEnded(uint initiatorTaskTag) => ended[endedCount++ % EndedKept] = initiatorTaskTag;

    public bool HasEnded(uint initiatorTaskTag) => Array.IndexOf(ended, initiatorTaskTag, 0, Math.Min(endedCount, EndedKept)) >= 0;
}
