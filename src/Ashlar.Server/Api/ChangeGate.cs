using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>
/// Keeps changes under a condition apart from other changes of the same volume. Invariant: from the look at the condition to the end of
/// the change nothing else changes the volume. Changes without a condition go on beside each other.
/// </summary>
sealed class ChangeGate
{
    readonly Lock gate = new();
    readonly Dictionary<(string Pool, string Volume), Queue> queues = [];

    /// <summary>Waits for the turn of a change; disposing of what it returns ends it.</summary>
    public async Task<IDisposable> EnterAsync(string pool, string volume, bool isConditional)
    {
        var turn = new Turn(this, (pool, volume), isConditional);
        lock (gate)
        {
            if (!queues.TryGetValue(turn.Key, out var queue)) queues[turn.Key] = queue = new Queue();
            queue.Waiting.Enqueue(turn);
            Admit(queue);
        }
        await turn.Admitted.Task;
        return turn;
    }

    void Leave(Turn turn)
    {
        lock (gate)
        {
            var queue = queues[turn.Key];
            Invariant.Require(queue.Running > 0);
            queue.Running--;
            queue.IsAlone = false;
            Admit(queue);
            if (queue.Running == 0) queues.Remove(turn.Key);
        }
    }

    // In the order in which they came.
    static void Admit(Queue queue)
    {
        while (!queue.IsAlone && queue.Waiting.TryPeek(out var next) && (queue.Running == 0 || !next.IsConditional))
        {
            queue.Waiting.Dequeue();
            queue.Running++;
            queue.IsAlone = next.IsConditional;
            next.Admitted.SetResult();
        }
    }

    sealed class Queue
    {
        public Queue<Turn> Waiting { get; } = new();

        public int Running { get; set; }

        public bool IsAlone { get; set; }
    }

    sealed class Turn(ChangeGate owner, (string Pool, string Volume) key, bool isConditional) : IDisposable
    {
        bool hasLeft;

        public (string Pool, string Volume) Key => key;

        public bool IsConditional => isConditional;

        public TaskCompletionSource Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose()
        {
            if (hasLeft) return;
            hasLeft = true;
            owner.Leave(this);
        }
    }
}
