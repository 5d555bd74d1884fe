using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>
/// What one connection sends, in one order. Threads of others, say those that complete a device's reads, hand over their bytes
/// and never wait for the client: what the kernel does not take at once stays here. Only the connection's own threads wait:
/// the one that receives, in <see cref="Send"/> and <see cref="Flush"/>, and one that exists while something is left.
/// </summary>
/// <remarks>
/// Whoever has the turn sends, until the queue is empty or, where it may not wait, until the kernel takes no more. Nobody
/// holds <c>gate</c> over a system call. A segment that is being sent is out of the queue: its bytes belong to whoever has the
/// turn, also when the connection is cut meanwhile, so no buffer is given back under a send.
/// </remarks>
sealed class OutgoingQueue(
    IWire wire, Func<Deadline> patience, string senderName, Func<WireException, ConnectionException> describe, Action cut)
{
    static readonly TimeSpan SenderIdleTime = TimeSpan.FromSeconds(1);

    readonly object gate = new();
    IWire wire = wire; // Another one behind the beginning of TLS.
    readonly SegmentRing segments = new();
    long queuedBytes;
    bool isTurnTaken;
    bool isSenderThere;
    int waitingForTurn;
    ConnectionException? failure;
    bool mustCut; // A thread that has the turn and may not wait failed to send.

    /// <summary>Bytes handed over that have not left.</summary>
    public long QueuedBytes => Volatile.Read(ref queuedBytes);

    /// <summary>Sends over another wire from now on: nothing is being sent, and nothing waits. The connection's own thread only.</summary>
    public void Change(IWire next)
    {
        Invariant.Require(QueuedBytes == 0);
        wire = next;
    }

    /// <summary>Sends bytes behind all others, waiting for the client where need be.</summary>
    /// <exception cref="ConnectionException">They did not all leave.</exception>
    public void Send(ReadOnlySpan<byte> data)
    {
        TakeTurn();
        DrainWaiting(keepTurn: true);
        try
        {
            SendAll(data);
        }
        catch (WireException e)
        {
            throw GiveUpTurn(e);
        }
        DrainWaiting(keepTurn: false);
    }

    /// <summary>Waits until all that was handed over has left.</summary>
    /// <exception cref="ConnectionException">It did not; none of it is being sent any more.</exception>
    public void Flush()
    {
        TakeTurn();
        DrainWaiting(keepTurn: false);
    }

    /// <summary>Queues bytes, which stay as they are until <see cref="Flush"/> has returned or failed. Sends nothing yet.</summary>
    public void Enqueue(ReadOnlyMemory<byte> data)
    {
        if (data.IsEmpty) return;
        lock (gate)
        {
            if (failure is null) AddLast(new(data, null));
        }
    }

    /// <summary>Queues a copy of bytes. Sends nothing yet.</summary>
    public void EnqueueCopy(ReadOnlySpan<byte> data)
    {
        lock (gate)
        {
            if (failure is not null) return;
            segments.AddCopy(data);
            queuedBytes += data.Length;
        }
    }

    /// <summary>Sends bytes now, or a copy of them later. Never waits.</summary>
    public void Post(ReadOnlySpan<byte> data)
    {
        lock (gate)
        {
            if (failure is not null) return;
            if (isTurnTaken || segments.Count > 0)
            {
                segments.AddCopy(data);
                queuedBytes += data.Length;
                if (isTurnTaken) return;
                data = []; // It is sent with what is before it.
            }
            isTurnTaken = true;
        }
        var sent = TrySend(data);
        lock (gate)
        {
            if (failure is null && sent < data.Length) AddFirst(new(data[sent..].ToArray(), null));
        }
        DrainWithoutWaiting();
    }

    /// <summary>
    /// Sends bytes that stay as they are until the task ends. Never waits; where the client does not take all at once, who
    /// awaits the task goes on on <see cref="WorkerThreads.Completions"/>.
    /// </summary>
    /// <exception cref="ConnectionException">They did not all leave.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> data)
    {
        ValueTask end;
        var isFirst = false;
        lock (gate)
        {
            isFirst = !isTurnTaken && segments.Count == 0 && failure is null;
            end = isFirst ? default : EnqueueAsyncLocked(data);
            if (isTurnTaken || failure is not null) return end;
            isTurnTaken = true;
        }
        if (isFirst) end = SendFirst(data);
        DrainWithoutWaiting();
        return end;
    }

    /// <summary>Queues bytes that stay as they are until the task ends. Sends nothing yet.</summary>
    public ValueTask EnqueueAsync(ReadOnlyMemory<byte> data)
    {
        lock (gate) return EnqueueAsyncLocked(data);
    }

    /// <summary>Sends of what is queued what leaves at once, and sees to the rest. Never waits.</summary>
    public void SendQueued()
    {
        lock (gate)
        {
            // Who has the turn sends it all.
            if (isTurnTaken || segments.Count == 0) return;
            isTurnTaken = true;
        }
        DrainWithoutWaiting();
    }

    /// <summary>Drops what is queued; whoever waits for it learns why.</summary>
    public void Fail(ConnectionException cause)
    {
        List<Segment> dropped = [];
        lock (gate)
        {
            if (failure is not null) return;
            failure = cause;
            while (segments.Count > 0) dropped.Add(segments.TakeFirst());
            queuedBytes = 0;
            Monitor.PulseAll(gate);
        }
        foreach (var segment in dropped) segment.Sent?.SetException(Failed());
    }

    ValueTask EnqueueAsyncLocked(ReadOnlyMemory<byte> data)
    {
        if (failure is not null) return ValueTask.FromException(Failed());
        var queued = new SharedCompletion();
        AddLast(new(data, queued));
        return queued.Task;
    }

    // With the turn, and nothing before it.
    ValueTask SendFirst(ReadOnlyMemory<byte> data)
    {
        var sent = TrySend(data.Span);
        lock (gate)
        {
            if (failure is not null) return ValueTask.FromException(Failed());
            if (sent == data.Length) return ValueTask.CompletedTask;
            var rest = new SharedCompletion();
            AddFirst(new(data[sent..], rest));
            return rest.Task;
        }
    }

    void AddLast(in Segment segment)
    {
        segments.AddLast(segment);
        queuedBytes += segment.Length;
    }

    void AddFirst(in Segment segment)
    {
        segments.AddFirst(segment);
        queuedBytes += segment.Length;
    }

    ConnectionException Failed() => new(failure!.Message, failure);

    void TakeTurn()
    {
        lock (gate)
        {
            waitingForTurn++;
            while (isTurnTaken) Monitor.Wait(gate);
            waitingForTurn--;
            if (failure is not null) throw Failed();
            isTurnTaken = true;
        }
    }

    // Under the gate.
    void ReleaseTurn()
    {
        isTurnTaken = false;
        Monitor.PulseAll(gate);
    }

    /// <summary>Sends all that is queued. With the turn, which it gives up when it fails.</summary>
    void DrainWaiting(bool keepTurn)
    {
        while (TryTakeSegment(keepTurn, out var segment))
        {
            try
            {
                SendAll(segment.Data.Span);
            }
            catch (WireException e)
            {
                var failed = GiveUpTurn(e);
                segment.Sent?.SetException(failed);
                throw failed;
            }
            segment.Sent?.SetResult();
        }
    }

    /// <summary>Sends of what is queued what leaves at once, and sees to the rest. With the turn, which it gives up.</summary>
    void DrainWithoutWaiting()
    {
        while (TryTakeSegment(keepTurn: false, out var segment))
        {
            var sent = TrySend(segment.Data.Span);
            var needsSender = false;
            Exception? failed;
            lock (gate)
            {
                failed = failure;
                if (failed is null && sent < segment.Length)
                {
                    AddFirst(segment.From(sent));
                    // A thread that waits for its turn sends it all.
                    needsSender = waitingForTurn == 0 && !isSenderThere;
                    isSenderThere |= needsSender;
                    ReleaseTurn();
                }
            }
            if (failed is not null) segment.Sent?.SetException(Failed());
            else if (sent == segment.Length) segment.Sent?.SetResult();
            else if (needsSender) StartSender();
            if (failed is null && sent < segment.Length) return;
        }
        // Without the turn: what this wakes may want to send as well.
        if (Interlocked.Exchange(ref mustCut, false)) cut();
    }

    bool TryTakeSegment(bool keepTurn, out Segment segment)
    {
        lock (gate)
        {
            if (segments.Count == 0)
            {
                segment = default;
                if (!keepTurn) ReleaseTurn();
                return false;
            }
            segment = segments.TakeFirst();
            queuedBytes -= segment.Length;
            return true;
        }
    }

    void StartSender()
    {
        try
        {
            new Thread(SendLeftovers) { IsBackground = true, Name = senderName }.Start();
        }
        catch (Exception e)
        {
            // No thread could be had: only this connection suffers.
            Fail(describe(new($"no thread to send by: {e.Message}", e)));
            cut();
        }
    }

    void SendLeftovers()
    {
        while (true)
        {
            lock (gate)
            {
                while (failure is null && (isTurnTaken || segments.Count == 0))
                {
                    if (Monitor.Wait(gate, SenderIdleTime) || segments.Count > 0) continue;
                    isSenderThere = false;
                    return;
                }
                if (failure is not null) return;
                isTurnTaken = true;
            }
            try
            {
                DrainWaiting(keepTurn: false);
            }
            catch (ConnectionException)
            {
                return; // The connection is cut; its own thread reports it.
            }
        }
    }

    void SendAll(ReadOnlySpan<byte> data)
    {
        var deadline = patience();
        while (true)
        {
            data = data[wire.TrySend(data)..];
            if (data.IsEmpty) return;
            if (deadline.IsOver || !wire.WaitUntilSendable(deadline.MillisecondsLeft))
                throw WireException.NotRead();
        }
    }

    int TrySend(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return 0;
        try
        {
            return wire.TrySend(data);
        }
        catch (WireException e)
        {
            Fail(describe(e));
            mustCut = true;
            return 0;
        }
    }

    // Failed before the turn is free: part of a segment may be on the wire, so nothing may follow it.
    ConnectionException GiveUpTurn(WireException cause)
    {
        var failed = describe(cause);
        Fail(failed);
        lock (gate) ReleaseTurn();
        cut();
        return failed;
    }
}
