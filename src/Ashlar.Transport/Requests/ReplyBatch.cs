using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>
/// Replies of one connection's thread, one behind the other in a buffer, so that many leave in one call. Devices read
/// straight into it: room is reserved, filled, and becomes part of the batch when it is committed.
/// </summary>
/// <remarks>
/// The connection's own thread does everything here except <see cref="Queue"/>. Where other threads call that, to send
/// behind what is gathered, both hold <see cref="Gate"/>; nobody waits for a client while holding it. Bytes behind the last
/// commit are the connection's thread's alone.
/// </remarks>
public sealed class ReplyBatch(Connection connection, BufferShare buffers, InFlightRequests inFlight) : IDisposable
{
    /// <summary>Replies are gathered up to this size.</summary>
    public const int CapacityBytes = 256 << 10;

    PooledBuffer? buffer;
    int head; // Where what is gathered starts; what is before it is queued.
    int tail;

    /// <summary>Held while replies are numbered and gathered, where their numbers follow the order of the wire.</summary>
    public Lock Gate { get; } = new();

    /// <summary>
    /// Room for a reply, or null when the client's share of memory does not reach: then <see cref="Reserve"/> a smaller one.
    /// </summary>
    public Memory<byte>? TryReserve(int byteCount)
    {
        if (buffer is not null && buffer.Length - tail < byteCount) Send();
        // Requests that go on elsewhere keep the whole of the buffer that they read into: it had better be no larger than that.
        buffer ??= (inFlight.Count == 0 ? buffers.TryRent(Math.Max(byteCount, CapacityBytes)) : null) ?? buffers.TryRent(byteCount);
        return buffer?.Memory.Slice(tail, byteCount);
    }

    /// <summary>Room behind the replies gathered so far; those are sent first when it would not fit.</summary>
    /// <param name="byteCount">At most <see cref="BufferShare.AlwaysGrantedBytes"/>.</param>
    public Memory<byte> Reserve(int byteCount)
    {
        if (TryReserve(byteCount) is { } room) return room;
        // Then what this client has running is all there is to wait for: nobody waits for another's memory.
        inFlight.WaitForAll();
        buffer = buffers.TryRent(byteCount) ?? buffers.RentAlways(byteCount);
        return buffer.Memory[..byteCount];
    }

    /// <summary>Makes the first bytes of the room reserved last part of the batch.</summary>
    public void Commit(int byteCount) => tail += byteCount;

    /// <summary>Gathers a finished reply, without waiting whatever its size. Nothing may be reserved.</summary>
    public void Add(ReadOnlySpan<byte> reply)
    {
        buffer ??= buffers.TryRent(CapacityBytes);
        if (buffer is not null && buffer.Length - tail >= reply.Length)
        {
            reply.CopyTo(buffer.Span[tail..]);
            tail += reply.Length;
            return;
        }
        Queue();
        connection.EnqueueCopy(reply);
    }

    /// <summary>Puts what is gathered in its place in the connection's order. It leaves with what is sent next.</summary>
    public void Queue()
    {
        if (head == tail) return;
        connection.Enqueue(buffer!.Memory[head..tail]);
        head = tail;
    }

    /// <summary>Sends all that was committed, waiting for the client where need be, and gives the buffer back.</summary>
    /// <exception cref="ConnectionException">The connection broke, or the client does not take its replies off.</exception>
    public void Send()
    {
        if (buffer is null && !connection.HasQueued) return;
        using (Gate.EnterScope()) Queue();
        connection.Flush();
        GiveBack();
    }

    /// <summary>
    /// Gives the buffer away together with the room reserved last, which a device is still filling. The replies before it
    /// are sent now.
    /// </summary>
    public PooledBuffer Detach(out int reservedAt)
    {
        Invariant.Require(buffer is not null);
        using (Gate.EnterScope()) Queue();
        try
        {
            connection.Flush();
        }
        catch (ConnectionException)
        {
            // The device still writes into the buffer, so it must reach its new owner. A failed send has cut the
            // connection: its thread learns of that at its next call.
        }
        using (Gate.EnterScope())
        {
            var detached = buffer;
            reservedAt = tail;
            buffer = null;
            head = tail = 0;
            return detached;
        }
    }

    /// <summary>Gives the buffer back once nothing of it is being sent any more.</summary>
    public void Dispose()
    {
        try
        {
            if (buffer is not null) connection.Flush();
        }
        catch (ConnectionException)
        {
            // It is cut, and its own thread knows.
        }
        GiveBack();
    }

    void GiveBack()
    {
        PooledBuffer? done;
        using (Gate.EnterScope())
        {
            done = buffer;
            buffer = null;
            head = tail = 0;
        }
        done?.Dispose(); // Without the lock: whoever waits for memory goes on in this call.
    }
}
