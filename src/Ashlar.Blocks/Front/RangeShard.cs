using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>
/// Ranges held in some regions of a device, and who waits for them. Held ranges never overlap, so a range is its own name.
/// </summary>
sealed class RangeShard
{
    // A latch of one word: it is held for a look at a few ranges, which costs less than a lock that can sleep.
    int latch;
    ByteRange[] held = new ByteRange[4];
    int heldCount;
    Waiter? firstWaiter; // In the order in which they came.

    /// <summary>Takes a range unless that needs waiting, also for one who came before and waits himself.</summary>
    public bool TryEnter(ByteRange range)
    {
        Acquire();
        var isFree = IsFree(range, until: null);
        if (isFree) Hold(range);
        Release();
        return isFree;
    }

    /// <summary>Takes a range when its turn has come.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask EnterAsync(ByteRange range, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(range);
        if (TryEnterOrQueue(waiter)) return;
        var giveUp = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var (shard, given) = ((RangeShard, Waiter))state!;
                shard.GiveUp(given, token);
            },
            (this, waiter));
        try
        {
            await waiter.Turn.ConfigureAwait(false);
        }
        finally
        {
            await giveUp.DisposeAsync().ConfigureAwait(false); // Not "await using": that would take the context of the caller, or a box.
        }
    }

    public void Exit(ByteRange range)
    {
        Acquire();
        var index = heldCount - 1;
        while (index >= 0 && held[index] != range) index--;
        if (index >= 0) held[index] = held[--heldCount];
        var granted = firstWaiter is null ? null : Grant();
        Release();
        Invariant.Require(index >= 0);
        Continue(granted);
    }

    bool TryEnterOrQueue(Waiter waiter)
    {
        Acquire();
        var isFree = IsFree(waiter.Range, until: null);
        if (isFree) Hold(waiter.Range);
        else Queue(waiter);
        Release();
        return isFree;
    }

    void GiveUp(Waiter waiter, CancellationToken cancellationToken)
    {
        Acquire();
        var wasWaiting = Remove(waiter);
        var granted = wasWaiting ? Grant() : null; // Others may have waited for this one only.
        Release();
        if (wasWaiting) waiter.GiveUp(cancellationToken);
        Continue(granted);
    }

    /// <summary>Whether nobody holds a part of a range, and nobody before <paramref name="until"/> waits for one.</summary>
    bool IsFree(ByteRange range, Waiter? until)
    {
        for (var i = 0; i < heldCount; i++)
            if (held[i].Overlaps(range)) return false;
        for (var other = firstWaiter; other is not null && other != until; other = other.Next)
            if (other.Range.Overlaps(range)) return false;
        return true;
    }

    void Hold(ByteRange range)
    {
        if (heldCount == held.Length) Array.Resize(ref held, 2 * heldCount);
        held[heldCount++] = range;
    }

    void Queue(Waiter waiter)
    {
        ref var last = ref firstWaiter;
        while (last is not null) last = ref last.Next;
        last = waiter;
    }

    bool Remove(Waiter waiter)
    {
        ref var at = ref firstWaiter;
        while (at is not null && at != waiter) at = ref at.Next;
        if (at is null) return false;
        at = waiter.Next;
        return true;
    }

    /// <summary>Lets those in whose turn has come.</summary>
    /// <returns>The first of them; the others hang behind it.</returns>
    Waiter? Grant()
    {
        Waiter? granted = null;
        ref var lastGranted = ref granted;
        ref var at = ref firstWaiter;
        while (at is { } waiter)
        {
            if (!IsFree(waiter.Range, until: waiter))
            {
                at = ref waiter.Next;
                continue;
            }
            Hold(waiter.Range);
            at = waiter.Next;
            waiter.Next = null;
            lastGranted = waiter;
            lastGranted = ref waiter.Next;
        }
        return granted;
    }

    static void Continue(Waiter? granted)
    {
        while (granted is not null)
        {
            var next = granted.Next;
            granted.Enter();
            granted = next;
        }
    }

    void Acquire()
    {
        if (Interlocked.Exchange(ref latch, 1) == 0) return;
        var spin = default(SpinWait);
        do spin.SpinOnce(sleep1Threshold: -1);
        while (Volatile.Read(ref latch) != 0 || Interlocked.Exchange(ref latch, 1) != 0);
    }

    void Release() => Volatile.Write(ref latch, 0);

    sealed class Waiter(ByteRange range) : QueuedRequest
    {
        public Waiter? Next;

        public ByteRange Range { get; } = range;
    }
}
