using Ashlar.Storage;

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

    /// <summary>Aborts that wait for commands which still run; one that waits for several counts for each.</summary>
    public int AbortsWaiting
    {
        get
        {
            lock (gate) return tasks.Values.Where(static task => task.Runs).Sum(static task => task.Aborts.Count);
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
            return !task.IsAborted;
        }
    }

    /// <summary>A command goes on after the connection's thread has left it, which calls this.</summary>
    public void Run(IscsiTask task)
    {
        inHand = null;
        lock (gate)
        {
            Invariant.Require(!task.Runs);
            task.Runs = true;
            tasks[task.InitiatorTaskTag] = task;
        }
    }

    /// <summary>A command that ran has come to its end.</summary>
    /// <returns>Whether it is to be answered: it was not aborted.</returns>
    public bool EndRun(IscsiTask task)
    {
        lock (gate)
        {
            Invariant.Require(task.Runs); // Whoever aborted it is told once that it is over.
            tasks.Remove(task.InitiatorTaskTag);
            task.Runs = false;
        }
        // No abort finds it any more.
        foreach (var abort in task.Aborts) abort.Settled();
        return !task.IsAborted;
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
                // One that runs may have been aborted before: whoever aborts it now has to wait for it as well.
                if ((task.IsAborted && !task.Runs) || !fits(task)) continue;
                task.Aborts.Add(abort);
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
            var aborted = tasks.Values.Where(static task => task.IsAborted && !task.Runs).ToList();
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
