using System.Runtime.InteropServices;
using Ashlar.Storage;

namespace Ashlar.Scsi;

/// <summary>
/// Keeps writes out of the blocks of a command that reads, decides and writes (COMPARE AND WRITE, ORWRITE), and such
/// commands out of each other. Writes never wait for writes. Holds over all initiators of a unit.
/// </summary>
sealed class RangeLocks
{
    readonly Lock gate = new();
    readonly List<Range> held = [];
    List<TaskCompletionSource>? waiters;

    /// <summary>Takes a range; completes synchronously when nobody is in the way.</summary>
    /// <param name="holder">Whoever holds it: one range at a time.</param>
    /// <param name="start">First block.</param>
    /// <param name="count">Number of blocks.</param>
    /// <param name="exclusive">Whether to keep plain writes out.</param>
    public ValueTask EnterAsync(object holder, long start, long count, bool exclusive)
    {
        var range = new Range(holder, start, count, exclusive);
        return TryEnter(range, out _) ? ValueTask.CompletedTask : WaitAsync(range);
    }

    public void Leave(object holder)
    {
        List<TaskCompletionSource>? woken;
        lock (gate)
        {
            var index = IndexOf(holder);
            Invariant.Require(index >= 0);
            held[index] = held[^1];
            held.RemoveAt(held.Count - 1);
            (woken, waiters) = (waiters, null);
        }
        if (woken is null) return;
        foreach (var waiter in woken) waiter.SetResult();
    }

    async ValueTask WaitAsync(Range range)
    {
        while (!TryEnter(range, out var released)) await released.ConfigureAwait(false);
    }

    bool TryEnter(in Range range, out Task released)
    {
        lock (gate)
        {
            foreach (ref readonly var other in CollectionsMarshal.AsSpan(held))
            {
                if (!other.ConflictsWith(range)) continue;
                // Waiting is rare, and everyone who waits looks again: contended blocks are a cluster's lock blocks.
                var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                (waiters ??= []).Add(waiter);
                released = waiter.Task;
                return false;
            }
            held.Add(range);
        }
        released = Task.CompletedTask;
        return true;
    }

    int IndexOf(object holder)
    {
        for (var i = held.Count - 1; i >= 0; i--)
            if (ReferenceEquals(held[i].Holder, holder)) return i;
        return -1;
    }

    readonly record struct Range(object Holder, long Start, long Count, bool Exclusive)
    {
        public bool ConflictsWith(in Range other) =>
            (Exclusive || other.Exclusive) && Start < other.Start + other.Count && other.Start < Start + Count;
    }
}
