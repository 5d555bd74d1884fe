using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Latches that transactions hold from their first test to the end of their write, shared or exclusive. There are fewer of them than
/// things to latch, so some share one; all are taken at once and in one order, so that nobody waits in a circle.
/// </summary>
sealed class LatchTable
{
    const int StripeCount = 4096, CustomerStripes = 64;

    readonly Latch[] stripes = [.. Enumerable.Range(0, StripeCount + CustomerStripes).Select(_ => new Latch())];

    /// <summary>Takes what a transaction needs. Dispose what is returned.</summary>
    public async Task<HeldLatches> TakeAsync(LatchSet wanted)
    {
        var ordered = wanted.InOrder(StripeCount, CustomerStripes);
        // Shorter than any wait for a disk, so nobody needs to cancel it.
        foreach (var (stripe, isExclusive) in ordered) await stripes[stripe].EnterAsync(isExclusive);
        return new(this, ordered);
    }

    void Release((int Stripe, bool IsExclusive)[] held)
    {
        for (var i = held.Length - 1; i >= 0; i--) stripes[held[i].Stripe].Exit(held[i].IsExclusive);
    }

    internal sealed class HeldLatches(LatchTable table, (int Stripe, bool IsExclusive)[] held) : IDisposable
    {
        bool isReleased;

        public void Dispose()
        {
            if (isReleased) return;
            isReleased = true;
            table.Release(held);
        }
    }

    /// <summary>Served in the order of arrival, so that neither readers nor writers starve.</summary>
    sealed class Latch
    {
        readonly Lock gate = new();
        readonly Queue<(TaskCompletionSource Turn, bool IsExclusive)> waiters = new();
        int readers;
        bool isExclusive;

        public Task EnterAsync(bool exclusive)
        {
            lock (gate)
            {
                if (waiters.Count == 0 && MayEnter(exclusive))
                {
                    Admit(exclusive);
                    return Task.CompletedTask;
                }

                var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                waiters.Enqueue((turn, exclusive));
                return turn.Task;
            }
        }

        public void Exit(bool exclusive)
        {
            lock (gate)
            {
                Invariant.Require(exclusive ? isExclusive : readers > 0);
                if (exclusive) isExclusive = false;
                else readers--;
                while (waiters.TryPeek(out var next) && MayEnter(next.IsExclusive))
                {
                    waiters.Dequeue();
                    Admit(next.IsExclusive);
                    next.Turn.SetResult();
                }
            }
        }

        bool MayEnter(bool exclusive) => !isExclusive && (!exclusive || readers == 0);

        void Admit(bool exclusive)
        {
            if (exclusive) isExclusive = true;
            else readers++;
        }
    }
}
