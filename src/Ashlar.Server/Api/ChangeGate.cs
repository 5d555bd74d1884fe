using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>
/// Keeps changes under a condition apart from other changes of the same volume. Invariant: from the look at the condition to the end of
/// the change nothing else changes the volume. Changes without a condition go on beside each other.
/// </summary>
sealed class ChangeGate
{
    readonly Lock gate = new();
    readonly Dictionary<Guid, Queue> queues = [];

    /// <summary>Waits for the turn of a change; disposing of what it returns ends it.</summary>
    /// <param name="find">
    /// Finds the volume, by its name. It is asked again when the turn has come: by then the name may be another volume's, and its turn is
    /// waited for.
    /// </param>
    /// <param name="isConditional">Whether the change has a condition.</param>
    public async Task<IDisposable> EnterAsync(Func<Guid> find, bool isConditional)
    {
        while (true)
        {
            var volume = find();
            var turn = new Turn(this, volume, isConditional);
            await EnterAsync(turn);
            try
            {
                if (find() == volume) return turn;
            }
            catch
            {
                turn.Dispose();
                throw;
            }
            turn.Dispose();
        }
    }

    Task EnterAsync(Turn turn)
    {
        lock (gate)
        {
            if (!queues.TryGetValue(turn.Volume, out var queue)) queues[turn.Volume] = queue = new Queue();
            queue.Waiting.Enqueue(turn);
            Admit(queue);
        }
        return turn.Admitted.Task;
    }

    void Leave(Turn turn)
    {
        lock (gate)
        {
            var queue = queues[turn.Volume];
            Invariant.Require(queue.Running > 0);
            queue.Running--;
            queue.IsAlone = false;
            Admit(queue);
            if (queue.Running == 0) queues.Remove(turn.Volume);
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

    sealed class Turn(ChangeGate owner, Guid volume, bool isConditional) : IDisposable
    {
        bool hasLeft;

        public Guid Volume => volume;

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
