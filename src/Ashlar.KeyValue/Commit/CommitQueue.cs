using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Ashlar.KeyValue;

/// <summary>
/// Gathers concurrent writers into groups. The first writer becomes leader and commits for all who have queued up; while it
/// waits for the disk, the next group forms. Leadership is handed to the next waiter before the followers are woken. A lone
/// writer leads itself, without a switch of threads.
/// </summary>
sealed class CommitQueue(Committer committer)
{
    [ThreadStatic]
    static PendingWrite? ownWrite;

    readonly Lock gate = new();
    readonly Queue<PendingWrite> queue = new();
    readonly ConcurrentQueue<PendingWrite> pool = new();
    readonly List<PendingWrite> group = []; // The leader's.
    bool isLed;

    /// <summary>Commits and returns when the request is done; throws what went wrong.</summary>
    public void Run(CommitRequest request, WriteBatch? batch, bool needsSync)
    {
        var write = ownWrite ?? new PendingWrite();
        ownWrite = null; // Not reused while in use: continuations may run on this thread.
        write.Prepare(request, batch, needsSync, null);
        if (Enqueue(write) || write.WaitOrLead()) Lead();
        var error = write.Error;
        ownWrite = write;
        if (error is not null) ExceptionDispatchInfo.Throw(error);
    }

    /// <summary>Queues the request; the task completes when it is done. The caller never waits for the disk.</summary>
    public ValueTask RunAsync(CommitRequest request, WriteBatch? batch, bool needsSync)
    {
        if (!pool.TryDequeue(out var write)) write = new PendingWrite();
        write.Prepare(request, batch, needsSync, pool.Enqueue);
        var task = write.AsValueTask();
        if (Enqueue(write)) LeadElsewhere();
        return task;
    }

    bool Enqueue(PendingWrite write)
    {
        lock (gate)
        {
            queue.Enqueue(write);
            if (isLed) return false;
            isLed = true;
            return true;
        }
    }

    void LeadElsewhere() => ThreadPool.UnsafeQueueUserWorkItem(static self => self.Lead(), this, preferLocal: false);

    /// <summary>Commits one group and hands leadership on.</summary>
    void Lead()
    {
        Gather();
        Exception? error = null;
        try
        {
            committer.Commit(group);
        }
        catch (Exception exception)
        {
            error = exception;
        }

        // Only the leader touches the group, so it is copied before somebody else leads.
        var done = ArrayPool<PendingWrite>.Shared.Rent(group.Count);
        var count = group.Count;
        group.CopyTo(done);
        group.Clear();
        HandOver();
        for (var i = 0; i < count; i++)
        {
            done[i].Complete(error);
            done[i] = null!;
        }

        ArrayPool<PendingWrite>.Shared.Return(done);
    }

    void HandOver()
    {
        PendingWrite? next;
        lock (gate)
        {
            if (!queue.TryPeek(out next))
            {
                isLed = false;
                return;
            }
        }

        if (next.IsAsync) LeadElsewhere();
        else next.MakeLeader();
    }

    // A relaxed leader takes no writer along that waits for the disk: its own wait would be that long too.
    void Gather()
    {
        lock (gate)
        {
            var first = queue.Dequeue();
            group.Add(first);
            if (first.Request != CommitRequest.Write) return;
            long bytes = first.LengthBytes;
            while (queue.TryPeek(out var next) && next.Request == CommitRequest.Write && (first.NeedsSync || !next.NeedsSync))
            {
                bytes += next.LengthBytes;
                if (bytes > LogGroupLimit.Bytes) return;
                group.Add(queue.Dequeue());
            }
        }
    }
}
