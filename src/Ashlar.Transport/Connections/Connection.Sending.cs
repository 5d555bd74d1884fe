using Ashlar.Storage;

namespace Ashlar.Transport;

// What leaves. The order is that of the calls; a failed send cuts the connection, because part of the data may be on the wire.
public sealed partial class Connection
{
    /// <summary>Bytes that wait for the client to take them, from which on its requests had better wait too.</summary>
    const int MaxBacklogBytes = 64 << 10;

    readonly OutgoingQueue outgoing;

    /// <summary>
    /// Whether so much waits for the client to take it that no further request should be begun before <see cref="Flush"/>.
    /// </summary>
    public bool HasBacklog => outgoing.QueuedBytes > MaxBacklogBytes;

    /// <summary>Whether something waits to be sent.</summary>
    public bool HasQueued => outgoing.QueuedBytes > 0;

    /// <summary>Sends all of <paramref name="data"/> and waits for a client that does not read. The connection's own thread only.</summary>
    /// <exception cref="ConnectionException">The connection broke, or the client does not take its replies off.</exception>
    public void Send(ReadOnlySpan<byte> data) => outgoing.Send(data);

    /// <summary>Queues bytes that stay as they are until <see cref="Flush"/>, on the connection's own thread, is over.</summary>
    public void Enqueue(ReadOnlyMemory<byte> data) => outgoing.Enqueue(data);

    /// <summary>Queues a copy of bytes; <see cref="Flush"/>, or whatever is sent next, sends them.</summary>
    public void EnqueueCopy(ReadOnlySpan<byte> data) => outgoing.EnqueueCopy(data);

    /// <summary>Waits until all has left that was queued. The connection's own thread only.</summary>
    /// <exception cref="ConnectionException">
    /// The connection broke, or the client does not take its replies off. Nothing of what was queued is in use any more.
    /// </exception>
    public void Flush() => outgoing.Flush();

    /// <summary>Sends a short reply from any thread, which is never held up: what the client does not take is copied.</summary>
    public void Post(ReadOnlySpan<byte> data) => outgoing.Post(data);

    /// <summary>
    /// Sends from any thread, which is never held up; <paramref name="data"/> stays as it is until the task ends. Where the
    /// client does not take all at once, who awaits the task goes on on <see cref="WorkerThreads.Completions"/>.
    /// </summary>
    /// <exception cref="ConnectionException">The connection broke, or the client does not take its replies off.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> data) => outgoing.SendAsync(data);

    /// <summary>As <see cref="SendAsync"/>, but only takes the place in the order; <see cref="SendQueued"/> sends.</summary>
    public ValueTask EnqueueAsync(ReadOnlyMemory<byte> data) => outgoing.EnqueueAsync(data);

    /// <summary>Sends what is queued, from any thread, which is never held up.</summary>
    public void SendQueued() => outgoing.SendQueued();

    Deadline SendDeadline()
    {
        var deadline = Deadline.In(transferTimeout, time);
        return InHandshake ? Deadline.Earlier(deadline, handshakeDeadline) : deadline;
    }

    // The thread that receives is about to stumble over the closed socket; it reports this cause.
    ConnectionException SendFailed(WireException cause)
    {
        var failure = !cause.IsNotRead ? Broken(cause) : InHandshake ? HandshakeTooSlow() : Failure(cause.Message);
        return Interlocked.CompareExchange(ref firstFailure, failure, null) ?? failure;
    }
}
