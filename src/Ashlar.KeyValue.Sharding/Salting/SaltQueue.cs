using System.Runtime.ExceptionServices;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding.Salting;

/// <summary>
/// Writes of salted keys to one shard, in the order of their stamps: one leader at a time takes along who waits, stamps all of
/// them, and writes them as one batch. A lone writer leads itself.
/// </summary>
/// <param name="shard">Where they go.</param>
/// <param name="stamp">Copies a batch to the end of another, with stamps; called by one leader at a time.</param>
sealed class SaltQueue(KeyValueStore shard, Action<WriteBatch, WriteBatch> stamp)
{
    const int GroupBytes = 1 << 20;

    readonly Lock gate = new();
    readonly Queue<Waiting> queue = new();
    readonly List<Waiting> group = []; // The leader's.
    WriteBatch stamped = new(); // The leader's.
    bool isLed;

    public void Write(WriteBatch batch, Durability durability)
    {
        var own = new Waiting(batch, durability, null);
        if (Enqueue(own) || own.WaitOrLead()) Lead();
        if (own.Error is { } error) ExceptionDispatchInfo.Throw(error);
    }

    public ValueTask WriteAsync(WriteBatch batch, Durability durability)
    {
        var completion = new SharedCompletion();
        var held = batch.Hold(); // Until it completes.
        bool leads;
        try
        {
            leads = Enqueue(new Waiting(batch, durability, completion) { Held = held });
        }
        catch
        {
            held.Dispose();
            throw;
        }

        if (leads) LeadElsewhere();
        return completion.Task;
    }

    bool Enqueue(Waiting write)
    {
        EnumArgument.RequireDefined(write.Durability, "durability"); // Here, because others would be refused with it.
        using (gate.Hold())
        {
            queue.Enqueue(write);
            if (isLed) return false;
            isLed = true;
            return true;
        }
    }

    void LeadElsewhere() => WorkerThreads.Blocking.Post(static self => self.Lead(), this);

    void Lead()
    {
        Gather();
        Invariant.Require(isLed && group.Count > 0); // One leader at a time, or stamps would not grow in the order of the log.
        var writes = group.ToArray();
        group.Clear();
        var error = TryWrite(writes);
        var own = new Exception?[writes.Length];
        own.AsSpan().Fill(error);
        if (writes.Length > 1 && IsDiskFull(error)) WriteApart(writes, own);

        HandOver();
        for (var i = 0; i < writes.Length; i++) writes[i].Complete(own[i]);
    }

    // Nothing of them is left. Who may use what is kept for a full disk is not refused because of others, and nobody because of one that is
    // larger: those with the same claim are tried one by one, until one of them is refused.
    void WriteApart(Waiting[] writes, Exception?[] errors)
    {
        foreach (var claim in (ReadOnlySpan<bool>)[true, false])
        {
            Exception? refusal = null;
            for (var i = 0; i < writes.Length; i++)
            {
                if (writes[i].MayUseReserve != claim) continue;
                errors[i] = IsDiskFull(refusal) ? refusal : TryWrite([writes[i]]);
                if (IsDiskFull(errors[i])) refusal = errors[i];
            }
        }
    }

    static bool IsDiskFull(Exception? cause) => cause is StorageException { Kind: StorageErrorKind.NoSpace };

    Exception? TryWrite(Waiting[] writes)
    {
        try
        {
            // So that one large value does not stay in memory.
            if (stamped.LengthBytes > GroupBytes) stamped = new WriteBatch();
            else stamped.Clear();
            stamped.MayUseReserve = Array.TrueForAll(writes, write => write.MayUseReserve);
            foreach (var write in writes) stamp(write.Batch, stamped);
            shard.Write(stamped, writes.Min(write => write.Durability));
            return null;
        }
        catch (Exception failure)
        {
            return failure;
        }
    }

    // A relaxed leader takes nobody along who waits for the disk. What is written gets the strictest durability of those who are in it.
    void Gather()
    {
        using (gate.Hold())
        {
            var first = queue.Dequeue();
            group.Add(first);
            long bytes = first.Batch.LengthBytes;
            while (queue.TryPeek(out var next) && (first.Durability == Durability.Sync || next.Durability == Durability.Relaxed))
            {
                bytes += next.Batch.LengthBytes;
                if (bytes > GroupBytes) return;
                group.Add(queue.Dequeue());
            }
        }
    }

    void HandOver()
    {
        Waiting? next;
        using (gate.Hold())
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

    sealed class Waiting(WriteBatch batch, Durability durability, SharedCompletion? completion)
    {
        bool isSignalled;
        bool leads;

        public WriteBatch Batch { get; } = batch;

        public Durability Durability { get; } = durability;

        /// <summary>What keeps the batch of an asynchronous write as it is.</summary>
        public IDisposable? Held { get; init; }

        /// <summary>Whether it may use what is kept for a full disk: as a delete may, although its copy is a put to the shard.</summary>
        public bool MayUseReserve { get; } = batch.MayUseReserve || HasOnlyDeletes(batch);

        public bool IsAsync => completion is not null;

        public Exception? Error { get; private set; }

        /// <summary>Blocks until the write is done, or until this caller leads: then true.</summary>
        public bool WaitOrLead()
        {
            using (Uninterrupted.Enter(this))
            {
                while (!isSignalled) Uninterrupted.Wait(this);
            }

            Uninterrupted.Restore();
            return leads;
        }

        static bool HasOnlyDeletes(WriteBatch batch)
        {
            foreach (var entry in batch)
            {
                if (!entry.IsDelete && !entry.IsRangeDelete) return false;
            }

            return true;
        }

        public void MakeLeader()
        {
            using (Uninterrupted.Enter(this))
            {
                leads = true;
                isSignalled = true;
                Monitor.Pulse(this);
            }
        }

        public void Complete(Exception? error)
        {
            if (completion is not null)
            {
                Held!.Dispose(); // Before its caller knows.
                if (error is null) completion.SetResult();
                else completion.SetException(error);
                return;
            }

            using (Uninterrupted.Enter(this))
            {
                Error = error;
                isSignalled = true;
                leads = false;
                Monitor.Pulse(this);
            }
        }
    }
}
